import { type Config, PinoLogger, startEmbeddedPostgres } from '#platform';

/** The database of this process. */
export interface Database {
  readonly url: string;
  /** Stops the embedded server; does nothing to one of DATABASE_URL. */
  close(): Promise<void>;
}

/** The database of DATABASE_URL, or else the embedded PostgreSQL of DATA_DIR, which is started. */
export async function openDatabase(config: Config, signal: AbortSignal): Promise<Database> {
  const { databaseUrl, dataDir } = config.values;
  if (databaseUrl) return { url: databaseUrl.reveal(), close: () => Promise.resolve() };
  const logger = PinoLogger.fromConfig(config).scoped('postgres');
  const postgres = await startEmbeddedPostgres({
    dataDir,
    log: (message) => logger.info(message),
    onExit: ({ pid, reason }) =>
      logger.error('The embedded PostgreSQL ended and is restarted.', { pid, reason }),
    signal,
  });
  return { url: postgres.url, close: () => postgres.stop() };
}
