import { runCommand, say, takesNothing } from './command';
import { withMigrator } from './with-migrator';

/** `npm run migrate`: applies everything that is missing. */
async function migrate(args: readonly string[]): Promise<void> {
  takesNothing(args);
  await withMigrator(async (migrator) => {
    const applied = await migrator.up();
    for (const name of applied) say(`applied  ${name}`);
    say(applied.length === 0 ? 'Everything is up to date.' : `Applied ${applied.length} migrations.`);
  });
}

void runCommand(migrate);
