/**
 * What most expressions are, done without JSONata: paths, literals, comparisons, `and`, `or`, `&`, `??` and
 * conditions over them. JSONata needs about 10 us and several turns of the microtask queue for a path; this needs
 * neither. Wherever JSONata would do more than look up one member (arrays are mapped over and flattened, truth
 * is computed from any type), the answer is `needsJsonata` and it is asked. A property test holds the two equal.
 */
import type { JsonObject, JsonValue } from '../definition/json';
import { isJsonArray, isJsonObject } from '../definition/json-guards';
import { childrenAt, isSyntaxNode, type SyntaxNode } from './syntax-tree';

export const needsJsonata: unique symbol = Symbol('needs JSONata');

export type FastResult = JsonValue | undefined | typeof needsJsonata;
export type FastPath = (scope: JsonObject) => FastResult;

/** The fast way to evaluate this tree, or undefined when there is none. Never throws when called. */
export function fastPath(node: SyntaxNode | undefined): FastPath | undefined {
  if (node === undefined || isDecorated(node)) return undefined;
  switch (node['type']) {
    case 'string':
    case 'number':
    case 'value':
      return literal(node);
    case 'path':
      return path(node);
    case 'binary':
      return binary(node);
    case 'condition':
      return condition(node);
    default:
      return undefined;
  }
}

/** Marks by which JSONata's parser changes how a node is evaluated. `stages` are handled where they may stand. */
const decorations = [
  'predicate',
  'group',
  'keepArray',
  'keepSingletonArray',
  'tuple',
  'focus',
  'index',
] as const;

function isDecorated(node: SyntaxNode): boolean {
  return decorations.some((mark) => Object.hasOwn(node, mark));
}

function literal(node: SyntaxNode): FastPath | undefined {
  const value = node['value'];
  if (Object.hasOwn(node, 'stages')) return undefined;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return () => value;
  return value === null ? () => null : undefined;
}

type Step = { readonly name: string; readonly index: number | undefined };

function path(node: SyntaxNode): FastPath | undefined {
  const steps = childrenAt(node, 'steps').map(step);
  if (steps.length === 0 || !steps.every((each) => each !== undefined)) return undefined;
  return (scope) => {
    let value: FastResult = scope;
    for (const { name, index } of steps) {
      if (value === undefined || value === needsJsonata) return value;
      value = member(value, name);
      if (index !== undefined) value = item(value, index);
    }
    return value;
  };
}

function step(node: SyntaxNode): Step | undefined {
  const name = node['value'];
  if (node['type'] !== 'name' || typeof name !== 'string' || isDecorated(node)) return undefined;
  if (!Object.hasOwn(node, 'stages')) return { name, index: undefined };
  const stages = childrenAt(node, 'stages');
  const [filter] = stages.length === 1 ? childrenAt(stages[0] ?? {}, 'expr') : [];
  const index = filter?.['value'];
  if (filter?.['type'] !== 'number' || typeof index !== 'number' || isDecorated(filter)) return undefined;
  return { name, index: Math.floor(index) };
}

function member(value: JsonValue, name: string): FastResult {
  if (isJsonArray(value)) return needsJsonata;
  if (!isJsonObject(value)) return undefined;
  // JSONata takes objects with these members for functions of its own and refuses to look inside.
  if (value['_jsonata_function'] === true || value['_jsonata_lambda'] === true) return needsJsonata;
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function item(value: FastResult, index: number): FastResult {
  if (value === undefined || value === needsJsonata) return value;
  if (!isJsonArray(value)) return index === 0 || index === -1 ? value : undefined;
  return value[index < 0 ? value.length + index : index];
}

function binary(node: SyntaxNode): FastPath | undefined {
  const left = fastPath(childrenAt(node, 'lhs')[0]);
  const right = fastPath(childrenAt(node, 'rhs')[0]);
  if (left === undefined || right === undefined) return undefined;
  switch (node['value']) {
    case 'and':
      return (scope) => both(truth(left(scope)), () => truth(right(scope)));
    case 'or':
      return (scope) => either(truth(left(scope)), () => truth(right(scope)));
    case '=':
      return (scope) => equal(left(scope), right(scope));
    case '!=':
      return (scope) => unequal(left(scope), right(scope));
    case '&':
      return (scope) => joined(left(scope), right(scope));
    default:
      return comparison(node['value'], left, right);
  }
}

type Truth = boolean | typeof needsJsonata;

function truth(value: FastResult): Truth {
  if (value === undefined) return false;
  return typeof value === 'boolean' ? value : needsJsonata;
}

function both(left: Truth, right: () => Truth): Truth {
  return left === true ? right() : left;
}

function either(left: Truth, right: () => Truth): Truth {
  return left === false ? right() : left;
}

function isScalar(value: FastResult): value is string | number | boolean | null {
  return (
    value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  );
}

function equal(left: FastResult, right: FastResult): Truth {
  if (left === needsJsonata || right === needsJsonata) return needsJsonata;
  if (left === undefined || right === undefined) return false;
  return isScalar(left) && isScalar(right) ? left === right : needsJsonata;
}

function unequal(left: FastResult, right: FastResult): Truth {
  const isEqual = equal(left, right);
  // With nothing on one side both `=` and `!=` are false.
  if (left === undefined || right === undefined || isEqual === needsJsonata) return isEqual;
  return !isEqual;
}

function joined(left: FastResult, right: FastResult): FastResult {
  return typeof left === 'string' && typeof right === 'string' ? left + right : needsJsonata;
}

function comparison(operator: unknown, left: FastPath, right: FastPath): FastPath | undefined {
  const compare = comparisons.get(operator);
  if (compare === undefined) return undefined;
  return (scope) => {
    const a = left(scope);
    const b = right(scope);
    if (typeof a === 'number' && typeof b === 'number') return compare(a, b);
    return typeof a === 'string' && typeof b === 'string' ? compare(a, b) : needsJsonata;
  };
}

const comparisons: ReadonlyMap<unknown, <T extends string | number>(a: T, b: T) => boolean> = new Map([
  ['<', <T extends string | number>(a: T, b: T) => a < b],
  ['<=', <T extends string | number>(a: T, b: T) => a <= b],
  ['>', <T extends string | number>(a: T, b: T) => a > b],
  ['>=', <T extends string | number>(a: T, b: T) => a >= b],
]);

function condition(node: SyntaxNode): FastPath | undefined {
  const [test] = childrenAt(node, 'condition');
  const then = fastPath(childrenAt(node, 'then')[0]);
  const otherwise = Object.hasOwn(node, 'else') ? fastPath(childrenAt(node, 'else')[0]) : () => undefined;
  if (test === undefined || then === undefined || otherwise === undefined) return undefined;
  const decide = existence(test) ?? truthOf(test);
  if (decide === undefined) return undefined;
  return (scope) => {
    const decided = decide(scope);
    if (decided === needsJsonata) return needsJsonata;
    return decided ? then(scope) : otherwise(scope);
  };
}

function truthOf(test: SyntaxNode): ((scope: JsonObject) => Truth) | undefined {
  const evaluate = fastPath(test);
  return evaluate && ((scope) => truth(evaluate(scope)));
}

/** `a ?? b` is parsed as the condition `$exists(a) ? a : b`. */
function existence(test: SyntaxNode): ((scope: JsonObject) => Truth) | undefined {
  const [procedure] = childrenAt(test, 'procedure');
  const [argument, ...more] = childrenAt(test, 'arguments');
  const isExists =
    test['type'] === 'function' && procedure?.['type'] === 'variable' && procedure['value'] === 'exists';
  if (!isExists || isDecorated(test) || more.length > 0 || !isSyntaxNode(argument)) return undefined;
  const evaluate = fastPath(argument);
  if (evaluate === undefined) return undefined;
  return (scope) => {
    const value = evaluate(scope);
    return value === needsJsonata ? needsJsonata : value !== undefined;
  };
}
