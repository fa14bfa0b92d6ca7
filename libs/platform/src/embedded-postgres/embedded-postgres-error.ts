/** What stops an embedded PostgreSQL from starting, as one clear sentence for the person at the terminal. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
}

/** The data folder belongs to another process that is running. */
export class DataFolderInUseError extends EmbeddedPostgresError {}

/** Gives any error as one sentence about the data folder; an `EmbeddedPostgresError` is one already. */
export function asEmbeddedPostgresError(error: unknown, dataDir: string): EmbeddedPostgresError {
  if (error instanceof EmbeddedPostgresError) return error;
  return new EmbeddedPostgresError(
    `The embedded PostgreSQL in ${dataDir} did not start: ${errorMessage(error)}.`,
    { cause: error },
  );
}

/** The code of a file-system, network or PostgreSQL error ("ENOENT", "57P03"), if it has one. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of an error. (Asked by shape: an error of Node's own has another `Error` class in a test's realm.) */
export function errorMessage(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error);
  return String(error.message);
}
