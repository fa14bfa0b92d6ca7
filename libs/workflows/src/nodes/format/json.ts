import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../definition/json';
import { isJsonArray, isJsonObject } from '../../definition/json-guards';
import { nestsDeeper } from '../../egress/response-content';
import { jsonObject, jsonValue } from '../param-schemas';
import { jsonPointer, valueAt } from './member-path';
import {
  finite,
  FormatFault,
  listIn,
  MAX_TEXT_CHARS,
  objectIn,
  operation,
  refuseChars,
  refuseItems,
  storable,
  textIn,
  type Work,
} from './operation';

const MAX_DEPTH = 100;
const names = z.array(z.string().max(500)).min(1).max(1_000);

/** Operations on objects, and on JSON as a text. */
export const jsonOperations = [
  operation('json.parse', {}, (input) => parsed(textIn(input))),
  operation('json.stringify', { indent: z.int().min(0).max(8).default(0) }, (input, { indent }) => {
    // Measured before it is written, with all that indenting it takes.
    const room = new Room();
    room.take(input, indent, 1);
    return JSON.stringify(input, null, indent);
  }),
  operation('json.get', { pointer: jsonPointer, default: jsonValue.optional() }, (input, settings) => {
    const found = valueAt(input, settings.pointer);
    const value = found === undefined ? settings.default : found;
    if (value !== undefined) return value;
    throw new FormatFault('missing', `finds nothing at ${settings.pointer}, and has no default`);
  }),
  operation('json.pick', { members: names }, (input, { members }) => {
    const wanted = new Set(members);
    return Object.fromEntries(Object.entries(objectIn(input)).filter(([key]) => wanted.has(key)));
  }),
  operation('json.omit', { members: names }, (input, { members }) => {
    const unwanted = new Set(members);
    return Object.fromEntries(Object.entries(objectIn(input)).filter(([key]) => !unwanted.has(key)));
  }),
  operation(
    'json.rename',
    {
      members: z
        .array(z.strictObject({ from: z.string().max(500), to: z.string().max(500) }))
        .min(1)
        .max(1_000),
    },
    (input, { members }) => {
      const renamed = new Map(members.map(({ from, to }) => [from, to]));
      return objectOf(
        Object.entries(objectIn(input)).map(([key, value]) => [renamed.get(key) ?? key, value]),
      );
    },
  ),
  operation('json.merge', { with: jsonObject, deep: z.boolean().default(false) }, (input, settings, work) =>
    merged(objectIn(input), settings.with, { deep: settings.deep, work }),
  ),
  operation(
    'json.flatten',
    { separator: z.string().min(1).max(10).default('.') },
    (input, { separator }, work) => {
      const flat: (readonly [string, JsonValue])[] = [];
      flatten(objectIn(input), '', { separator, work, flat });
      return objectOf(flat);
    },
  ),
  operation('json.entries', {}, (input) => {
    const entries = Object.entries(objectIn(input));
    refuseItems(entries.length);
    return entries.map(([key, value]) => ({ key, value }));
  }),
  operation('json.fromEntries', {}, (input) =>
    objectOf(
      listIn(input).map((item, i) => {
        const key = isJsonObject(item) ? item['key'] : undefined;
        const value = isJsonObject(item) ? item['value'] : undefined;
        if (typeof key === 'string' && value !== undefined) return [key, value];
        throw new FormatFault('type', `needs a list of {key, value}; its item ${i} is none`);
      }),
    ),
  ),
];

function parsed(text: string): JsonValue {
  if (nestsDeeper(text, MAX_DEPTH))
    throw new FormatFault('too_large', `reads JSON of up to ${MAX_DEPTH} levels`);
  try {
    return jsonOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new FormatFault('value', `needs a text in JSON: ${error.message}`);
    throw error;
  }
}

/** What was parsed, once its texts can be stored. Recursion is safe: the depth is at most `MAX_DEPTH`. */
function jsonOf(value: unknown): JsonValue {
  if (typeof value === 'string') return storable(value);
  if (typeof value === 'number') return finite(value);
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) return value.map(jsonOf);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [storable(key), jsonOf(member)]));
}

/** An object of members, of which no two may have one name: that one is lost would go unseen. */
function objectOf(entries: readonly (readonly [string, JsonValue])[]): JsonObject {
  refuseItems(entries.length);
  const object = Object.fromEntries(entries);
  if (Object.keys(object).length === entries.length) return object;
  const seen = new Set<string>();
  const [twice = ''] = entries.find(([key]) => seen.size === seen.add(key).size) ?? [];
  throw new FormatFault('value', `would give two members the name ${JSON.stringify(twice.slice(0, 80))}`);
}

function merged(
  base: JsonObject,
  over: JsonObject,
  { deep, work }: { readonly deep: boolean; readonly work: Work },
): JsonObject {
  const members = new Map(Object.entries(base));
  work.spend(20 * members.size);
  for (const [key, value] of Object.entries(over)) {
    const below = members.get(key);
    const isBoth = deep && below !== undefined && isJsonObject(below) && isJsonObject(value);
    members.set(key, isBoth ? merged(below, value, { deep, work }) : value);
  }
  refuseItems(members.size);
  return Object.fromEntries(members);
}

interface Flattening {
  readonly separator: string;
  readonly work: Work;
  readonly flat: (readonly [string, JsonValue])[];
}

/** Empty objects and lists stay, so that nothing is lost. */
function flatten(value: JsonObject | readonly JsonValue[], prefix: string, into: Flattening): void {
  for (const [key, member] of Object.entries(value)) {
    const name = prefix === '' ? key : prefix + into.separator + key;
    into.work.spend(20 + name.length);
    const isContainer = (isJsonArray(member) || isJsonObject(member)) && Object.keys(member).length > 0;
    if (isContainer) flatten(member, name, into);
    else into.flat.push([name, member]);
    refuseItems(into.flat.length);
  }
}

/** How long a value is as JSON. Stops at the limit, however large the value. */
class Room {
  private chars = 0;

  take(value: JsonValue, indent: number, level: number): void {
    if (typeof value === 'string') {
      refuseChars(this.chars + value.length);
      this.add(JSON.stringify(value).length);
    } else if (isJsonArray(value)) {
      for (const item of value) this.member(item, indent, level);
      this.add(2 + indent * level);
    } else if (isJsonObject(value)) {
      for (const [key, member] of Object.entries(value)) {
        refuseChars(this.chars + key.length);
        this.add(JSON.stringify(key).length + 2);
        this.member(member, indent, level);
      }
      this.add(2 + indent * level);
    } else {
      this.add(String(value).length);
    }
  }

  private member(value: JsonValue, indent: number, level: number): void {
    this.add(2 + indent * level);
    this.take(value, indent, level + 1);
  }

  private add(chars: number): void {
    this.chars += chars;
    if (this.chars > MAX_TEXT_CHARS) refuseChars(this.chars);
  }
}
