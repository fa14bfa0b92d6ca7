import { migrations } from '#migrations';
import {
  checkDatabase,
  DataFolderInUseError,
  type EmbeddedPostgres,
  EmbeddedPostgresError,
  loadConfig,
  Migrator,
  startEmbeddedPostgres,
} from '#platform';

/**
 * Runs work with a migrator of the configured database: the one of DATABASE_URL, or else the embedded one of DATA_DIR,
 * which is started for as long as the work takes.
 */
export async function withMigrator(work: (migrator: Migrator) => Promise<void>): Promise<void> {
  const { databaseUrl, dataDir } = loadConfig().values;
  if (databaseUrl !== null) return workOn(databaseUrl.reveal(), work);
  const postgres = await started(dataDir);
  try {
    await workOn(postgres.url, work);
  } finally {
    await postgres.stop();
  }
}

async function workOn(url: string, work: (migrator: Migrator) => Promise<void>): Promise<void> {
  await checkDatabase(url);
  await work(new Migrator(url, migrations));
}

async function started(dataDir: string): Promise<EmbeddedPostgres> {
  try {
    return await startEmbeddedPostgres({ dataDir, log: (message) => process.stderr.write(`${message}\n`) });
  } catch (error) {
    if (!(error instanceof DataFolderInUseError)) throw error;
    throw new EmbeddedPostgresError(
      `${error.message} Stop it and run this again; when it starts it migrates by itself. ` +
        'For another database, set DATABASE_URL, or DATA_DIR for another folder.',
      { cause: error },
    );
  }
}
