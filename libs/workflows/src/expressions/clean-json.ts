import type { JsonValue } from '../definition/json';
import { isFunctionValue } from './budget';

/** A result that JSON can not hold: a function, or a number that is not finite. */
class NotJson extends Error {}

/**
 * The result of an evaluation as plain JSON. JSONata's arrays carry flags, its objects have no prototype, and
 * what is missing in them may be present as undefined. Throws `NotJson`.
 */
export function cleanJson(value: unknown): JsonValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      throw new NotJson(`It gives ${value}, which is no JSON number.`);
    case 'object':
      if (value === null) return null;
      if (Array.isArray(value)) return value.map((item) => (item === undefined ? null : cleanJson(item)));
      return cleanObject(value);
    default:
      throw new NotJson(`It gives a ${typeof value}, which is no JSON value.`);
  }
}

/** Sets a member as data. Assigning to `__proto__` would change the prototype and lose the member. */
export function setMember(target: { [key: string]: JsonValue }, key: string, value: JsonValue): void {
  if (key !== '__proto__') target[key] = value;
  else Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

function cleanObject(value: object): JsonValue {
  if (isFunctionValue(value))
    throw new NotJson('It gives a function. Did you forget to call it, as in `$count(…)`?');
  const clean: { [key: string]: JsonValue } = {};
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) setMember(clean, key, cleanJson(member));
  }
  return clean;
}
