import { z } from 'zod';
import type { JsonObject, JsonValue } from '../definition/json';

/**
 * Any JSON value, passed on as it is. Zod's own records leave out a member named `__proto__` without a word, and
 * a copy of a large value would be made for nothing: what arrives here is JSON already.
 */
export const jsonValue = z
  .custom<JsonValue>((value) => value !== undefined, { error: 'is required' })
  .meta({});

/** Any JSON object, passed on as it is. */
export const jsonObject = z
  .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    error: (issue) => `must be an object, got ${described(issue.input)}`,
  })
  .meta({ type: 'object' });

/** Names of output ports, in params and on edges. */
export const portName = z.string().regex(/^[a-z][A-Za-z0-9_]{0,62}$/, {
  error: 'must begin with a small letter and have up to 63 letters, digits and underscores',
});

/** A value for a message: its type, and what it is when that is short. */
export function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  const text = JSON.stringify(value);
  // The cut may leave half of a surrogate pair, which PostgreSQL refuses to store.
  return `the ${typeof value} ${text.length <= 40 ? text : `${text.slice(0, 39).toWellFormed()}…`}`;
}
