import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../definition/json';
import { isJsonArray, isJsonObject } from '../../definition/json-guards';
import { described } from '../param-schemas';

/** No text that an operation reads or makes has more characters. */
export const MAX_TEXT_CHARS = 1_048_576;
/** No list or object has more items. */
export const MAX_ITEMS = 100_000;
/** Of all steps together: characters read, with an item counted as twenty. Enough for 8 steps over the largest list. */
const MAX_WORK = 16_777_216;

/** Why a step could not be done; the code becomes `node.format_<code>`. */
export type FormatFaultCode = 'type' | 'value' | 'missing' | 'range' | 'too_large';

/** Ends the steps. The message goes on from the name of the operation: "needs a text, got null". */
export class FormatFault extends Error {
  override readonly name = 'FormatFault';

  constructor(
    readonly code: FormatFaultCode,
    message: string,
  ) {
    super(message);
  }
}

/** What the steps of one node have left to do. */
export class Work {
  private done = 0;

  spend(steps: number): void {
    this.done += steps;
    if (this.done > MAX_WORK) {
      throw new FormatFault('too_large', 'has too much to do: there is too much data for so many steps');
    }
  }
}

/** One operation of the `format` node: its settings, and what it makes of a value. */
export interface Operation {
  readonly op: string;
  /** `op` and the settings, as a step has them. */
  readonly schema: z.ZodObject;
  readonly apply: (input: JsonValue, step: unknown, work: Work) => JsonValue;
}

/** Defines an operation. Its function gets the settings with their defaults; what it can not do is a `FormatFault`. */
export function operation<S extends z.ZodRawShape>(
  op: string,
  shape: S,
  run: (input: JsonValue, settings: z.infer<z.ZodObject<S>>, work: Work) => JsonValue,
): Operation {
  const settings = z.object(shape);
  return {
    op,
    schema: z.strictObject({ op: z.literal(op), ...shape }),
    apply: (input, step, work) => run(input, settings.parse(step), work),
  };
}

export function textIn(input: JsonValue): string {
  if (typeof input !== 'string') throw new FormatFault('type', `needs a text, got ${described(input)}`);
  return sized(input);
}

export function numberIn(input: JsonValue): number {
  if (typeof input === 'number') return input;
  const hint = typeof input === 'string' ? '; make a number of it with number.parse first' : '';
  throw new FormatFault('type', `needs a number, got ${described(input)}${hint}`);
}

export function booleanIn(input: JsonValue): boolean {
  if (typeof input === 'boolean') return input;
  throw new FormatFault('type', `needs true or false, got ${described(input)}`);
}

export function listIn(input: JsonValue): readonly JsonValue[] {
  if (!isJsonArray(input)) throw new FormatFault('type', `needs a list, got ${described(input)}`);
  return sized(input);
}

export function objectIn(input: JsonValue): JsonObject {
  if (!isJsonObject(input)) throw new FormatFault('type', `needs an object, got ${described(input)}`);
  return input;
}

/** The text or list itself. What is larger than the limits is refused, best before it is made. */
export function sized<T extends string | readonly unknown[]>(value: T): T {
  if (typeof value === 'string') refuseChars(value.length);
  else if (value.length > MAX_ITEMS) refuseItems(value.length);
  return value;
}

export function refuseChars(length: number): void {
  if (length > MAX_TEXT_CHARS)
    throw new FormatFault('too_large', `works on texts of up to ${MAX_TEXT_CHARS} characters, not ${length}`);
}

export function refuseItems(count: number): void {
  if (count > MAX_ITEMS)
    throw new FormatFault('too_large', `works on up to ${MAX_ITEMS} items, not ${count}`);
}

/** A text that can be stored: PostgreSQL takes no NUL and no half of a surrogate pair. */
export function storable(text: string): string {
  if (!/\0|\p{Surrogate}/u.test(text)) return text;
  throw new FormatFault('value', 'would make a text with a NUL or half a character in it');
}

/** A number that JSON can hold. */
export function finite(value: number): number {
  if (Number.isFinite(value)) return Object.is(value, -0) ? 0 : value;
  throw new FormatFault('range', 'would make a number that is too large');
}
