/**
 * Whose fault an error is and what a caller can do about it. The only place that turns a kind into an HTTP
 * status is the problem filter.
 */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'precondition_failed'
  | 'too_large'
  | 'unsupported_media_type'
  | 'unprocessable'
  | 'limit'
  | 'gone'
  | 'unavailable'
  | 'bug';

/** One entry of a lib's `errors.ts`: a stable public code, whose fault it is, and a short title for people. */
export interface ErrorType {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly title: string;
}

/** One thing wrong with the input: where (RFC 6901 pointer into the body, or `?name` for a query), a code, a sentence. */
export interface Problem {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

/** What an occurrence adds to its type. `detail` is shown to the caller; `cause` is only logged. */
export interface ErrorContext {
  readonly detail: string;
  readonly problems?: readonly Problem[];
  /** Extra members of the problem document (camelCase keys, no secrets). */
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** Lists a lib's error types once: `defineErrors('run', {not_found: {...}})` gives code `run.not_found`. */
export function defineErrors<const K extends string>(
  lib: string,
  types: Readonly<Record<K, { readonly kind: ErrorKind; readonly title: string }>>,
): Readonly<Record<K, ErrorType>> {
  const entries = Object.entries<{ readonly kind: ErrorKind; readonly title: string }>(types);
  const listed = entries.map(([name, type]) => [name, Object.freeze({ code: `${lib}.${name}`, ...type })]);
  return Object.freeze(Object.fromEntries(listed) as Record<K, ErrorType>);
}

/** The one exception of services: a catalogued type and what happened this time. */
export class AppError extends Error {
  override readonly name = 'AppError';

  constructor(
    readonly type: ErrorType,
    readonly context: ErrorContext,
  ) {
    super(`${type.code}: ${context.detail}`, { cause: context.cause });
  }

  get code(): string {
    return this.type.code;
  }
}
