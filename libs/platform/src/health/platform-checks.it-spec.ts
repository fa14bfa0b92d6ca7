import { migrations } from '#migrations';
import { useTestDb } from '#platform/testing';
import { databaseCheck, migrationsCheck } from './platform-checks';

describe('health of the database', () => {
  const testDb = useTestDb({ cells: ['cell_2'] });

  it('is up when every cell answers', async () => {
    expect(await databaseCheck(testDb().db)()).toEqual({ status: 'up' });
  });

  it('knows a schema that has had all migrations', async () => {
    expect(await migrationsCheck(testDb().db, migrations)()).toEqual({ status: 'up' });
  });

  it('sees a cell that is behind, until it has caught up', async () => {
    const check = migrationsCheck(testDb().db, migrations);
    const last = migrations.cell.at(-1)?.name;
    await testDb().sql('delete from cell_2.migrations where name = $1', [last]);
    expect(await check()).toMatchObject({
      status: 'down',
      detail: expect.stringContaining('npm run migrate'),
    });
    await testDb().sql('insert into cell_2.migrations (timestamp, name) values (1, $1)', [last]);
    expect(await check()).toEqual({ status: 'up' });
  });
});
