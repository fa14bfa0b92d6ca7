import type { JsonObject, JsonValue } from '../definition/json';
import { isJsonArray, isJsonObject } from '../definition/json-guards';
import { formatNames } from './formats';

/** How the value of a keyword must look, and how that is said. */
export interface Shape {
  readonly is: (value: JsonValue) => boolean;
  readonly words: string;
}

const typeNames: readonly string[] = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'];

const isCount = (value: JsonValue) => typeof value === 'number' && Number.isInteger(value) && value >= 0;
const isTypeName = (value: JsonValue) => typeof value === 'string' && typeNames.includes(value);
const isListOfTexts = (value: JsonValue) =>
  isJsonArray(value) && value.every((item) => typeof item === 'string');
const anything: Shape = { is: () => true, words: 'be a value' };
const text: Shape = { is: (value) => typeof value === 'string', words: 'be a string' };
const flag: Shape = { is: (value) => typeof value === 'boolean', words: 'be true or false' };
const number: Shape = { is: (value) => typeof value === 'number', words: 'be a number' };
const count: Shape = { is: isCount, words: 'be a whole number from 0' };
/** Whether it is one is seen when it is compiled. */
const schema = anything;
const texts: Shape = { is: isListOfTexts, words: 'be a list of strings' };
const object: Shape = { is: isJsonObject, words: 'be an object' };
const list: Shape = { is: isJsonArray, words: 'be a list' };
const schemas: Shape = {
  is: (value) => isJsonArray(value) && value.length > 0,
  words: 'be a list of schemas, of at least one',
};

/** Every keyword that a schema may have. What is not here is refused, because it would be ignored without a word. */
export const shapes: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['$ref', text],
  ['$defs', object],
  ['$comment', text],
  ['title', text],
  ['description', text],
  ['default', anything],
  ['examples', list],
  ['deprecated', flag],
  ['readOnly', flag],
  ['writeOnly', flag],
  ['contentEncoding', text],
  ['contentMediaType', text],
  [
    'type',
    {
      is: (value) => isTypeName(value) || (isJsonArray(value) && value.length > 0 && value.every(isTypeName)),
      words: `be one of ${typeNames.join(', ')}, or a list of them`,
    },
  ],
  [
    'enum',
    { is: (value) => isJsonArray(value) && value.length > 0, words: 'be a list of at least one value' },
  ],
  ['const', anything],
  ['multipleOf', { is: (value) => typeof value === 'number' && value > 0, words: 'be a number above 0' }],
  ['maximum', number],
  ['exclusiveMaximum', number],
  ['minimum', number],
  ['exclusiveMinimum', number],
  ['maxLength', count],
  ['minLength', count],
  ['pattern', text],
  [
    'format',
    {
      is: (value) => typeof value === 'string' && formatNames.includes(value),
      words: `be one of ${formatNames.join(', ')}`,
    },
  ],
  ['maxItems', count],
  ['minItems', count],
  ['uniqueItems', flag],
  ['maxContains', count],
  ['minContains', count],
  ['maxProperties', count],
  ['minProperties', count],
  ['required', texts],
  [
    'dependentRequired',
    {
      is: (value) => isJsonObject(value) && Object.values(value).every(isListOfTexts),
      words: 'be an object of lists of strings',
    },
  ],
  ['properties', object],
  ['patternProperties', object],
  ['dependentSchemas', object],
  ['additionalProperties', schema],
  ['propertyNames', schema],
  ['items', schema],
  ['contains', schema],
  ['prefixItems', schemas],
  ['allOf', schemas],
  ['anyOf', schemas],
  ['oneOf', schemas],
  ['not', schema],
  ['if', schema],
  ['then', schema],
  ['else', schema],
]);

/** Keywords of other drafts or of no draft, and what to write instead. */
const instead: Readonly<Record<string, string>> = {
  $id: 'Leave it out: references are local, like #/$defs/name.',
  $anchor: 'Refer by path, like #/$defs/name.',
  $dynamicRef: 'Use $ref.',
  $recursiveRef: 'Use $ref.',
  additionalItems: 'Use prefixItems and items.',
  definitions: 'Use $defs.',
  dependencies: 'Use dependentRequired or dependentSchemas.',
  nullable: 'Use "type": ["string", "null"].',
  unevaluatedProperties: 'Use additionalProperties.',
  unevaluatedItems: 'Use items.',
};

export function unknownKeyword(key: string): string {
  const hint = Object.hasOwn(instead, key) ? instead[key] : 'Remove it, or check its name.';
  return `There is no keyword \`${key.slice(0, 80)}\` here. ${hint}`;
}

export function numberAt(of: JsonObject, key: string): number | undefined {
  const value = Object.hasOwn(of, key) ? of[key] : undefined;
  return typeof value === 'number' ? value : undefined;
}

export function textAt(of: JsonObject, key: string): string | undefined {
  const value = Object.hasOwn(of, key) ? of[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}

export function listAt(of: JsonObject, key: string): readonly JsonValue[] | undefined {
  const value = Object.hasOwn(of, key) ? of[key] : undefined;
  return value !== undefined && isJsonArray(value) ? value : undefined;
}

export function textsOf(values: readonly JsonValue[]): readonly string[] {
  return values.filter((value) => typeof value === 'string');
}

export function membersAt(of: JsonObject, key: string): readonly (readonly [string, JsonValue])[] {
  const value = Object.hasOwn(of, key) ? of[key] : undefined;
  return value !== undefined && isJsonObject(value) ? Object.entries(value) : [];
}
