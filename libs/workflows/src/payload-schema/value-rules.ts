import { decimalOf, isMultipleOf } from '../decimal';
import type { JsonObject, JsonValue } from '../definition/json';
import { isJsonArray, isJsonObject } from '../definition/json-guards';
import { described } from '../nodes/param-schemas';
import { canonical } from './canonical';
import { hasFormat } from './formats';
import type { Pattern } from './pattern';
import type { Rule } from './run';
import { listAt, membersAt, numberAt, textAt, textsOf } from './shapes';

/** The rules of keywords that look at a value as a whole, and at no schema below. */
export function valueRules(schema: JsonObject, pattern: Pattern | null): readonly Rule[] {
  const rules = [
    typeRule(schema),
    enumRule(schema),
    constRule(schema),
    ...numberRules(schema),
    ...lengthRules(schema),
    formatRule(schema),
    pattern === null ? null : patternRule(pattern, textAt(schema, 'pattern') ?? ''),
    uniqueRule(schema),
    ...requiredRules(schema),
  ];
  return rules.filter((rule) => rule !== null);
}

function typeRule(schema: JsonObject): Rule | null {
  const single = textAt(schema, 'type');
  const types = new Set(single === undefined ? textsOf(listAt(schema, 'type') ?? []) : [single]);
  if (types.size === 0) return null;
  const words = [...types].join(' or ');
  return (value, run) => {
    if (types.has(typeOf(value))) return true;
    if (Number.isInteger(value) && types.has('integer')) return true;
    return run.fail(() => `must be of the type ${words}, got ${described(value)}`);
  };
}

function typeOf(value: JsonValue): string {
  if (value === null) return 'null';
  return isJsonArray(value) ? 'array' : typeof value;
}

function enumRule(schema: JsonObject): Rule | null {
  const values = listAt(schema, 'enum');
  if (values === undefined) return null;
  return oneOfRule(values, `must be one of the ${values.length} values that are listed`);
}

function constRule(schema: JsonObject): Rule | null {
  const value = Object.hasOwn(schema, 'const') ? schema['const'] : undefined;
  return value === undefined ? null : oneOfRule([value], `must be ${described(value)}`);
}

function oneOfRule(values: readonly JsonValue[], words: string): Rule {
  const known = new Set(values.map((value) => canonical(value, () => undefined)));
  const hasContainer = values.some((value) => typeof value === 'object' && value !== null);
  return (value, run) => {
    const isContainer = typeof value === 'object' && value !== null;
    const spend = (steps: number) => run.spend(steps);
    if ((hasContainer || !isContainer) && known.has(canonical(value, spend))) return true;
    return run.fail(() => `${words}, got ${described(value)}`);
  };
}

function numberRules(schema: JsonObject): readonly (Rule | null)[] {
  const limits: readonly [string, (value: number, limit: number) => boolean, string][] = [
    ['minimum', (value, limit) => value >= limit, 'at least'],
    ['exclusiveMinimum', (value, limit) => value > limit, 'more than'],
    ['maximum', (value, limit) => value <= limit, 'at most'],
    ['exclusiveMaximum', (value, limit) => value < limit, 'less than'],
    ['multipleOf', isMultiple, 'a multiple of'],
  ];
  return limits.map(([key, holds, words]) => {
    const limit = numberAt(schema, key);
    if (limit === undefined) return null;
    return (value, run) =>
      typeof value !== 'number' || holds(value, limit)
        ? true
        : run.fail(() => `must be ${words} ${limit}, got ${value}`);
  });
}

/** In decimals: for a processor 0.3 is no multiple of 0.1. */
function isMultiple(value: number, divisor: number): boolean {
  return isMultipleOf(decimalOf(value), decimalOf(divisor));
}

type Measured = (value: JsonValue) => number | null;

const characters: Measured = (value) => (typeof value === 'string' ? charactersIn(value) : null);
const items: Measured = (value) => (isJsonArray(value) ? value.length : null);
const members: Measured = (value) => (isJsonObject(value) ? Object.keys(value).length : null);

function lengthRules(schema: JsonObject): readonly (Rule | null)[] {
  const measured: readonly [string, string, Measured, string][] = [
    ['minLength', 'maxLength', characters, 'characters'],
    ['minItems', 'maxItems', items, 'items'],
    ['minProperties', 'maxProperties', members, 'members'],
  ];
  return measured.map(([least, most, measure, unit]) => {
    const min = numberAt(schema, least) ?? 0;
    const max = numberAt(schema, most) ?? Infinity;
    if (min === 0 && max === Infinity) return null;
    return (value, run) => {
      if (typeof value === 'string') run.read(value);
      const length = measure(value);
      if (isJsonObject(value)) run.list(length ?? 0);
      if (length === null || (length >= min && length <= max)) return true;
      const words = length < min ? `at least ${min}` : `at most ${max}`;
      return run.fail(() => `must have ${words} ${unit}, got ${length}`);
    };
  });
}

/** A pair of surrogates is one character. */
function charactersIn(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function formatRule(schema: JsonObject): Rule | null {
  const format = textAt(schema, 'format');
  if (format === undefined) return null;
  return (value, run) => {
    if (typeof value !== 'string') return true;
    run.spend(20);
    return (
      hasFormat(value, format) || run.fail(() => `must have the format ${format}, got ${described(value)}`)
    );
  };
}

function patternRule(pattern: Pattern, source: string): Rule {
  return (value, run) =>
    typeof value !== 'string' ||
    pattern.isIn(value, run) ||
    run.fail(() => `must match the pattern ${source}, got ${described(value)}`);
}

function uniqueRule(schema: JsonObject): Rule | null {
  if (schema['uniqueItems'] !== true) return null;
  return (value, run) => {
    if (!isJsonArray(value)) return true;
    const seen = new Map<string, number>();
    for (const [i, item] of value.entries()) {
      const text = canonical(item, (steps) => run.spend(steps));
      const earlier = seen.get(text);
      if (earlier !== undefined) {
        return run.fail(() => `must have each item once, and the items ${earlier} and ${i} are the same`);
      }
      seen.set(text, i);
    }
    return true;
  };
}

function requiredRules(schema: JsonObject): readonly Rule[] {
  const required = textsOf(listAt(schema, 'required') ?? []);
  const dependent = membersAt(schema, 'dependentRequired').map(([name, list]): Rule => {
    const rule = requires(isJsonArray(list) ? textsOf(list) : []);
    return (value, run) => !isJsonObject(value) || !Object.hasOwn(value, name) || rule(value, run);
  });
  return required.length === 0 ? dependent : [requires(required), ...dependent];
}

function requires(names: readonly string[]): Rule {
  return (value, run) => {
    if (!isJsonObject(value)) return true;
    run.spend(names.length / 2);
    const missing = names.filter((name) => !Object.hasOwn(value, name));
    for (const name of missing) run.fail(() => 'is required, and missing', name);
    return missing.length === 0;
  };
}
