import {
  DataFolderInUseError,
  type EmbeddedPostgres,
  EmbeddedPostgresError,
  loadConfig,
  startEmbeddedPostgres,
} from '#platform';

/**
 * Runs work with the URL of the configured database: the one of DATABASE_URL, or else the embedded one of DATA_DIR, which is
 * started for as long as the work takes.
 */
export async function withDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
  const { databaseUrl, dataDir } = loadConfig().values;
  if (databaseUrl !== null) return work(databaseUrl.reveal());
  const postgres = await started(dataDir);
  try {
    return await work(postgres.url);
  } finally {
    await postgres.stop();
  }
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
