import type { MigrationState } from '#platform';
import { runCommand, say, takesNothing } from './command';
import { withMigrator } from './with-migrator';

/** `npm run migrate:status`: every migration of every schema, and whether it has been applied. */
async function migrateStatus(args: readonly string[]): Promise<void> {
  takesNothing(args);
  await withMigrator(async (migrator) => {
    const states = await migrator.status();
    for (const line of tableOf(states)) say(line);
    say('');
    const count = (wanted: MigrationState['state']) => states.filter(({ state }) => state === wanted).length;
    const unknown = count('unknown');
    say(
      `${count('applied')} applied, ${count('pending')} pending` +
        (unknown === 0 ? '.' : `, ${unknown} unknown: a newer version of Millrace applied them.`),
    );
  });
}

function tableOf(states: readonly MigrationState[]): readonly string[] {
  const rows = [{ schema: 'schema', name: 'migration', state: 'state' }, ...states];
  const width = (column: 'schema' | 'name') => Math.max(...rows.map((row) => row[column].length));
  return rows.map(
    ({ schema, name, state }) => `${schema.padEnd(width('schema'))}  ${name.padEnd(width('name'))}  ${state}`,
  );
}

void runCommand(migrateStatus);
