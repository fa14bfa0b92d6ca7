import type { JsonObject, JsonValue } from '../../definition/json';
import { isJsonArray, isJsonObject } from '../../definition/json-guards';

/** What stands in the place of a value that is not for everybody who may look. */
const MASKED = '•••';

const SPEAKS_OF_SECRETS =
  /signature|authori[sz]ation|cookie|token|secret|passw|passphrase|api[-_]?key|private[-_]?key|credential|card[-_]?number|\bcvc\b|\bcvv\b/i;

/** The value without what its fields, by their names, keep secret; in lists and objects at any depth. */
export function masked(value: JsonValue): JsonValue {
  if (isJsonArray(value)) return value.map(masked);
  return isJsonObject(value) ? maskedObject(value) : value;
}

/** The same of an object. An empty value tells nothing and stays, so that people see that it is empty. */
export function maskedObject(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [
      name,
      SPEAKS_OF_SECRETS.test(name) && !isEmpty(value) ? MASKED : masked(value),
    ]),
  );
}

function isEmpty(value: JsonValue): boolean {
  return value === null || value === '' || typeof value === 'boolean';
}
