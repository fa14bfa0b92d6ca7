import { z } from 'zod';
import type { JsonValue } from '../../definition/json';
import { isJsonArray, isJsonObject } from '../../definition/json-guards';

/** Where to look in each item: the name of a member, or an RFC 6901 pointer, which begins with a slash. */
export const memberPath = z
  .string()
  .min(1)
  .max(500)
  .describe('A member’s name, or a JSON pointer like /a/0/b.');

/** A JSON pointer. */
export const jsonPointer = z
  .string()
  .max(500)
  .regex(/^(?:\/(?:[^~]|~[01])*)?$/u, { error: 'must be a JSON pointer: empty, or like /a/0/b' });

/** What is at the path; undefined where nothing is. */
export function valueAt(value: JsonValue, path: string): JsonValue | undefined {
  if (path !== '' && !path.startsWith('/')) return memberOf(value, path);
  let found: JsonValue | undefined = value;
  for (const key of path.split('/').slice(1)) {
    found =
      found === undefined ? undefined : memberOf(found, key.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  return found;
}

function memberOf(value: JsonValue, key: string): JsonValue | undefined {
  if (isJsonArray(value)) return /^(?:0|[1-9]\d{0,8})$/.test(key) ? value[Number(key)] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
