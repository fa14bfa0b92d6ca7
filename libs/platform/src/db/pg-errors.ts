import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';

interface PgError extends Error {
  readonly code: string;
  readonly constraint?: string;
}

function isPgError(error: unknown): error is PgError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** TypeORM wraps the driver's error; the SQLSTATE and the constraint's name live on the inner one. */
function driverError(error: unknown): PgError | null {
  if (error instanceof Error && 'driverError' in error && isPgError(error.driverError))
    return error.driverError;
  return isPgError(error) ? error : null;
}

/** The SQLSTATE (or Node's network code) of a database error, else null. */
function sqlStateOf(error: unknown): string | null {
  return driverError(error)?.code ?? null;
}

/** Serialisation failures and deadlocks: the whole transaction may be tried again. */
export function isRetryable(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === '40001' || state === '40P01';
}

const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);
/** What the driver throws without any code when a connection is cut or cannot be had. */
const DRIVER_MESSAGES = [
  'Connection terminated',
  'Query read timeout',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error',
];

/** Whether the database could not be reached, cut the connection, or is starting up, shutting down or full. */
export function isUnavailable(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== null) {
    // Classes: 08 connection, 53 resources (disk full, too many connections), 57P operator intervention.
    return NETWORK.has(state) || /^(08|53|57P)/.test(state);
  }
  // The driver gives these faults no code, so its own wording is the only sign there is.
  return error instanceof Error && DRIVER_MESSAGES.some((text) => error.message.includes(text));
}

/** Turns faults of the database itself into a 503; everything else passes through. */
export function translated(error: unknown): unknown {
  return isUnavailable(error) ? unavailable(error) : error;
}

/** The 503 for a database that is away. */
export function unavailable(cause: unknown): AppError {
  return new AppError(platformErrors.unavailable, {
    detail: 'The database is not available at the moment; try again shortly.',
    retryAfterSeconds: 2,
    cause,
  });
}

/**
 * Runs a write and turns the violation of a named constraint into a domain error. The database decides, so
 * there is no check before the write that another request could slip past.
 */
export async function onViolation<T>(
  errors: Readonly<Record<string, () => AppError>>,
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const violated = driverError(error)?.constraint;
    const mapped = violated === undefined ? undefined : errors[violated];
    throw mapped ? mapped() : error;
  }
}
