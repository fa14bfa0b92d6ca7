import { checkName, indexWith, nextTimestamp, pathOf, skeletonOf } from './new-migration';

const INDEX = `import type { Migrations } from '#platform';
import { Users1000 } from './control/1000-Users';
import { Tenants2000 } from './cell/2000-Tenants';

/** Every migration, in order. */
export const migrations: Migrations = {
  control: [Users1000],
  cell: [
    Tenants2000,
  ],
};
`;

describe('a new migration', () => {
  const migration = { plane: 'cell', name: 'AddSchedules', timestamp: 3000 } as const;

  it('is imported last and listed last in its plane', () => {
    expect(indexWith(INDEX, migration)).toBe(`import type { Migrations } from '#platform';
import { Users1000 } from './control/1000-Users';
import { Tenants2000 } from './cell/2000-Tenants';
import { AddSchedules3000 } from './cell/3000-AddSchedules';

/** Every migration, in order. */
export const migrations: Migrations = {
  control: [Users1000],
  cell: [
    Tenants2000,
    AddSchedules3000,
  ],
};
`);
  });

  it('can join a list of one line', () => {
    expect(indexWith(INDEX, { ...migration, plane: 'control' })).toContain(
      '  control: [\n    Users1000,\n    AddSchedules3000,\n  ],\n',
    );
  });

  it('has a class named like its file, and a note on its rollback', () => {
    expect(pathOf(migration)).toBe('cell/3000-AddSchedules.ts');
    expect(skeletonOf(migration)).toContain('export class AddSchedules3000 implements MigrationInterface');
    expect(skeletonOf(migration)).toMatch(/^ \* Rollback: /m);
  });

  it('comes after every other, even after one whose time has not come yet', () => {
    expect(nextTimestamp(INDEX, 5000)).toBe(5000);
    expect(nextTimestamp(INDEX, 1500)).toBe(2001);
  });

  it('has a name of its own that can be a class', () => {
    expect(() => checkName('AddSchedules', INDEX)).not.toThrow();
    expect(() => checkName('Users', INDEX)).toThrow('There is a migration named Users already.');
    for (const name of ['add-schedules', 'addSchedules', '', 'A1', '../Evil']) {
      expect(() => checkName(name, INDEX)).toThrow('cannot name a migration');
    }
  });
});
