import { migrations } from '#migrations';
import { checkDatabase, Migrator } from '#platform';
import { withDatabase } from './with-database';

/** Runs work with a migrator of the configured database. */
export function withMigrator(work: (migrator: Migrator) => Promise<void>): Promise<void> {
  return withDatabase(async (url) => {
    await checkDatabase(url);
    await work(new Migrator(url, migrations));
  });
}
