import { UsageError } from './command';
import type { Plane } from './plane';

/** A migration to be written: the class `<name><timestamp>` in `<plane>/<timestamp>-<name>.ts`. */
export interface NewMigration {
  readonly plane: Plane;
  readonly name: string;
  /** Epoch milliseconds. */
  readonly timestamp: number;
}

/** Where it belongs inside the folder of migrations. */
export function pathOf({ plane, name, timestamp }: NewMigration): string {
  return `${plane}/${timestamp}-${name}.ts`;
}

/** Throws UsageError for a name that cannot be a class's, or that a migration has already. */
export function checkName(name: string, index: string): void {
  if (!/^[A-Z][A-Za-z]{2,60}$/.test(name)) {
    throw new UsageError(
      `"${name}" cannot name a migration: use letters like AddInvitations, beginning with a capital.`,
    );
  }
  if (timestamps(index, name).length > 0) throw new UsageError(`There is a migration named ${name} already.`);
}

/** Now, unless a migration has a later time already: the order of the files is the order of the work. */
export function nextTimestamp(index: string, nowMs: number): number {
  return Math.max(nowMs, ...timestamps(index, '[A-Z][A-Za-z]*').map((timestamp) => timestamp + 1));
}

/** The file to begin with. */
export function skeletonOf({ name, timestamp }: NewMigration): string {
  return `import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * <What is there after this migration, and why it is so.>
 *
 * Rollback: <what \`down\` does, which data is lost, and until when that is acceptable.>
 */
export class ${name}${timestamp} implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(\`\`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(\`\`);
  }
}
`;
}

/** The index with the new migration imported, and listed last in its plane. Throws if it cannot be found where to. */
export function indexWith(index: string, migration: NewMigration): string {
  const { plane, name, timestamp } = migration;
  const className = `${name}${timestamp}`;
  const imported = insertAfterLast(
    index,
    /^import \{ \w+ \} from '\.\/.+';\n/gm,
    `import { ${className} } from './${pathOf(migration).replace(/\.ts$/, '')}';\n`,
  );
  const list = new RegExp(`^  ${plane}: \\[([^\\]]*)\\],$`, 'm');
  const found = list.exec(imported)?.[1];
  if (found === undefined) throw new Error(`migrations/index.ts has no list "${plane}".`);
  const names = [...found.split(',').map((listed) => listed.trim()), className].filter(
    (listed) => listed !== '',
  );
  const lines = names.map((listed) => `    ${listed},\n`).join('');
  return imported.replace(list, `  ${plane}: [\n${lines}  ],`);
}

function insertAfterLast(text: string, pattern: RegExp, insertion: string): string {
  const last = [...text.matchAll(pattern)].at(-1);
  if (!last) throw new Error('migrations/index.ts imports no migration to go by.');
  const end = last.index + last[0].length;
  return text.slice(0, end) + insertion + text.slice(end);
}

function timestamps(index: string, name: string): readonly number[] {
  return [...index.matchAll(new RegExp(`^import \\{ ${name}(\\d+) \\}`, 'gm'))].map(([, digits]) =>
    Number(digits),
  );
}
