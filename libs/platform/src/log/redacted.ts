import { Secret } from '../config/secret';

const HIDDEN = '[redacted]';
/** Deeper and wider values are cut: a log line is for reading, and its cost must not depend on its input. */
const MAX_DEPTH = 8;
const MAX_ENTRIES = 200;
const MAX_TEXT = 8_000;

/** Words that make a name secret wherever they stand in it: `passwordHash`, `x-secret-value`. */
const SECRET_WORDS = new Set([
  'authorization',
  'cookie',
  'cookies',
  'credential',
  'credentials',
  'passphrase',
  'password',
  'passwd',
  'secret',
  'secrets',
]);
/** Words that do so at the end only: `apiKey` is a secret, `keyId` and `tokenCount` are not. */
const SECRET_ENDINGS = new Set(['key', 'keys', 'otp', 'token', 'tokens']);

function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);
  return words.some((word) => SECRET_WORDS.has(word)) || SECRET_ENDINGS.has(words.at(-1) ?? '');
}

/** Hides what URLs carry along: a password before the host, and secret-looking query parameters. */
function redactedText(text: string): string {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} characters)` : text;
  return short
    .replace(/(\/\/[^\s/:@]{0,200}):[^\s/@]{1,500}@/g, `$1:${HIDDEN}@`)
    .replace(/([?&]([\w.-]{1,64})=)[^&#\s"']{1,4000}/g, (whole, start: string, name: string) =>
      isSecretName(name) || name === 'code' ? `${start}${HIDDEN}` : whole,
    );
}

/**
 * A copy of a value that may be written to a log: secrets gone by their type and by their name, errors with their
 * causes as plain objects, cycles and excess cut. Never throws, whatever the getters of the value do.
 */
export function redacted(value: unknown): unknown {
  try {
    return copy(value, []);
  } catch {
    return '[unreadable]';
  }
}

function copy(value: unknown, above: readonly object[]): unknown {
  if (typeof value === 'string') return redactedText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Secret) return HIDDEN;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (above.includes(value)) return '[circular]';
  if (above.length >= MAX_DEPTH) return '[deep]';
  const path = [...above, value];
  if (value instanceof Error) return copyError(value, path);
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((item) => copy(item, path));
  if (value instanceof Set) return [...value].slice(0, MAX_ENTRIES).map((item) => copy(item, path));
  return copyEntries(value instanceof Map ? [...value] : Object.entries(value), path);
}

function copyEntries(entries: readonly (readonly [unknown, unknown])[], path: readonly object[]): object {
  const safe: [string, unknown][] = entries
    .slice(0, MAX_ENTRIES)
    .map(([name, value]) => [String(name), isSecretName(String(name)) ? HIDDEN : copy(value, path)]);
  return Object.fromEntries(safe);
}

/** Driver errors carry statements' parameters and rows in further fields: only what is known to be harmless is kept. */
function copyError(error: Error, path: readonly object[]): object {
  const code: unknown = 'code' in error ? error.code : undefined;
  const constraint: unknown = 'constraint' in error ? error.constraint : undefined;
  return {
    type: error.name,
    message: redactedText(error.message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(typeof constraint === 'string' ? { constraint } : {}),
    ...(error.stack === undefined ? {} : { stack: redactedText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: copy(error.cause, path) }),
    ...(error instanceof AggregateError ? { errors: copy(error.errors, path) } : {}),
  };
}
