import type { JsonObject, JsonValue } from '../definition/json';
import { isJsonArray, isJsonObject } from '../definition/json-guards';
import type { Pattern } from './pattern';
import type { Rule, Run, SchemaNode } from './run';
import { listAt, membersAt, numberAt } from './shapes';

/** Where a schema stands: gives the compiled schemas and patterns below it. */
export interface Place {
  /** The schema at these keys below, compiled. */
  below(schema: JsonValue, ...keys: readonly (string | number)[]): SchemaNode;
  /** The same, for one that looks at the very value that this one looks at. */
  inPlace(schema: JsonValue, ...keys: readonly (string | number)[]): SchemaNode;
  pattern(source: string, ...keys: readonly string[]): Pattern | null;
}

/** The rules of keywords that ask other schemas. */
export function schemaRules(schema: JsonObject, place: Place): readonly Rule[] {
  const rules = [
    membersRule(schema, place),
    namesRule(schema, place),
    itemsRule(schema, place),
    containsRule(schema, place),
    ...dependentRules(schema, place),
    allOfRule(schema, place),
    anyOfRule(schema, place),
    exactlyOneRule(schema, place),
    notRule(schema, place),
    conditionRule(schema, place),
  ];
  return rules.filter((rule) => rule !== null);
}

/** `properties`, `patternProperties`, and `additionalProperties` for what neither of them names. */
function membersRule(schema: JsonObject, place: Place): Rule | null {
  const named = new Map(
    membersAt(schema, 'properties').map(([name, sub]) => [name, place.below(sub, 'properties', name)]),
  );
  const matched = membersAt(schema, 'patternProperties').flatMap(([source, sub]) => {
    const pattern = place.pattern(source, 'patternProperties', source);
    return pattern === null ? [] : [{ pattern, node: place.below(sub, 'patternProperties', source) }];
  });
  const rest = single(schema, 'additionalProperties', place);
  if (named.size + matched.length === 0 && rest === null) return null;
  return (value, run) => {
    if (!isJsonObject(value)) return true;
    let fits = true;
    const members = Object.entries(value);
    run.list(members.length);
    for (const [key, member] of members) {
      const own = named.get(key);
      const nodes = matched.filter(({ pattern }) => pattern.isIn(key, run)).map(({ node }) => node);
      if (own !== undefined) nodes.push(own);
      if (nodes.length === 0 && rest !== null) nodes.push(rest);
      for (const node of nodes) fits = run.inside(key, node, member) && fits;
    }
    return fits;
  };
}

function namesRule(schema: JsonObject, place: Place): Rule | null {
  const node = single(schema, 'propertyNames', place);
  if (node === null) return null;
  return (value, run) => {
    if (!isJsonObject(value)) return true;
    const names = Object.keys(value);
    run.list(names.length);
    const wrong = names.filter((name) => !run.passes(node, name));
    for (const name of wrong) run.fail(() => 'has a name that is not allowed here', name);
    return wrong.length === 0;
  };
}

/** `prefixItems` for the first ones, `items` for those after them. */
function itemsRule(schema: JsonObject, place: Place): Rule | null {
  const first = (listAt(schema, 'prefixItems') ?? []).map((sub, i) => place.below(sub, 'prefixItems', i));
  const rest = single(schema, 'items', place);
  if (first.length === 0 && rest === null) return null;
  return (value, run) => {
    if (!isJsonArray(value)) return true;
    let fits = true;
    for (const [i, item] of value.entries()) {
      const node = first[i] ?? rest;
      if (node !== null) fits = run.inside(i, node, item) && fits;
    }
    return fits;
  };
}

function containsRule(schema: JsonObject, place: Place): Rule | null {
  const node = single(schema, 'contains', place);
  if (node === null) return null;
  const min = numberAt(schema, 'minContains') ?? 1;
  const max = numberAt(schema, 'maxContains') ?? Infinity;
  return (value, run) => {
    if (!isJsonArray(value)) return true;
    const found = value.filter((item) => run.passes(node, item)).length;
    if (found >= min && found <= max) return true;
    const words = found < min ? `at least ${min}` : `at most ${max}`;
    return run.fail(() => `must have ${words} of the items that \`contains\` describes, got ${found}`);
  };
}

function dependentRules(schema: JsonObject, place: Place): readonly Rule[] {
  return membersAt(schema, 'dependentSchemas').map(([name, sub]) => {
    const node = place.inPlace(sub, 'dependentSchemas', name);
    return (value, run) => !isJsonObject(value) || !Object.hasOwn(value, name) || run.apply(node, value);
  });
}

function allOfRule(schema: JsonObject, place: Place): Rule | null {
  const nodes = several(schema, 'allOf', place);
  if (nodes.length === 0) return null;
  return (value, run) => nodes.map((node) => run.apply(node, value)).every(Boolean);
}

function anyOfRule(schema: JsonObject, place: Place): Rule | null {
  const nodes = several(schema, 'anyOf', place);
  if (nodes.length === 0) return null;
  return (value, run) =>
    nodes.some((node) => run.passes(node, value)) ||
    run.fail(() => `must fit one of the ${nodes.length} alternatives, and fits none`);
}

function exactlyOneRule(schema: JsonObject, place: Place): Rule | null {
  const nodes = several(schema, 'oneOf', place);
  if (nodes.length === 0) return null;
  return (value, run) => {
    const found = fitting(nodes, value, run);
    if (found === 1) return true;
    const words = found === 0 ? 'none' : 'more than one';
    return run.fail(() => `must fit exactly one of the ${nodes.length} alternatives, and fits ${words}`);
  };
}

/** How many fit; two are as bad as a hundred. */
function fitting(nodes: readonly SchemaNode[], value: JsonValue, run: Run): number {
  let found = 0;
  for (const node of nodes) {
    if (run.passes(node, value)) found += 1;
    if (found === 2) break;
  }
  return found;
}

function notRule(schema: JsonObject, place: Place): Rule | null {
  const node = single(schema, 'not', place);
  if (node === null) return null;
  return (value, run) => !run.passes(node, value) || run.fail(() => 'must not be what `not` describes');
}

function conditionRule(schema: JsonObject, place: Place): Rule | null {
  const condition = single(schema, 'if', place);
  const yes = single(schema, 'then', place);
  const no = single(schema, 'else', place);
  if (condition === null) return null;
  return (value, run) => {
    const next = run.passes(condition, value) ? yes : no;
    return next === null || run.apply(next, value);
  };
}

const inPlaceKeywords: ReadonlySet<string> = new Set(['not', 'if', 'then', 'else']);

function single(schema: JsonObject, key: string, place: Place): SchemaNode | null {
  const sub = Object.hasOwn(schema, key) ? schema[key] : undefined;
  if (sub === undefined) return null;
  return inPlaceKeywords.has(key) ? place.inPlace(sub, key) : place.below(sub, key);
}

function several(schema: JsonObject, key: string, place: Place): readonly SchemaNode[] {
  return (listAt(schema, key) ?? []).map((sub, i) => place.inPlace(sub, key, i));
}
