import jsonata from 'jsonata';
import { expressionLimits, LimitExceeded } from './limits';
import { EvaluationBudget } from './budget';

/** How JSONata represents a function that it can call. */
export interface FunctionDefinition {
  readonly _jsonata_function: true;
  readonly implementation: Implementation;
  readonly signature?: unknown;
}

/** `this` while JSONata calls a function. */
interface Focus {
  readonly environment: Environment;
}

/** A frame of variables; `base` is the outermost one of the evaluation. */
export interface Environment {
  readonly lookup: (name: string | symbol) => unknown;
  readonly timestamp?: unknown;
  readonly base?: { readonly guardrails: () => void };
}

type Implementation = (this: Focus, ...args: unknown[]) => unknown;

/** Bindings which no expression can name: `%` is an operator, so it ends a variable's name. */
export const budgetBinding = '%budget';
export const instantBinding = '%instant';

/** Not offered: two would give another value after a crash, one would evaluate text that nobody has checked. */
export const withheldFunctions: ReadonlySet<string> = new Set(['random', 'shuffle', 'eval']);

const environment = captureEnvironment();

/**
 * The built-in function of that name under guard, or undefined. Each call gives a new definition over the same
 * implementation, because JSONata writes the position of the latest call into it.
 */
export function guardedFunction(name: string): FunctionDefinition | undefined {
  const definition = environment.lookup(name);
  if (!isFunctionDefinition(definition)) return undefined;
  let implementation = implementations.get(name);
  if (implementation === undefined) {
    implementation = guarded(name, definition.implementation);
    implementations.set(name, implementation);
  }
  return { ...definition, implementation };
}

const implementations = new Map<string, Implementation>();

/**
 * JSONata keeps its functions to itself. It calls this hook, made for debuggers, while a frame is created, and
 * hands over the enclosing environment before the first `await`.
 */
function captureEnvironment(): Environment {
  let captured: Environment | undefined;
  const probe: HookTarget = jsonata('null');
  probe.assign(Symbol.for('jsonata.__createFrame_push'), (enclosing: Environment) => {
    captured ??= enclosing;
  });
  void probe.evaluate(null);
  if (captured === undefined) throw new Error('This version of JSONata does not show its environment.');
  return captured;
}

/** A compiled expression, seen as something to hang hooks on: they are named by symbols, its types say string. */
export interface HookTarget {
  assign(name: string | symbol, value: unknown): void;
  evaluate(input: unknown, bindings?: Record<string, unknown>): Promise<unknown>;
}

function isFunctionDefinition(value: unknown): value is FunctionDefinition {
  return typeof value === 'object' && value !== null && '_jsonata_function' in value;
}

/** Looks at time and sizes around each call, also where `$map` and its like call a function in a tight loop. */
function guarded(name: string, builtIn: Implementation): Implementation {
  const inner = replacements[name]?.(builtIn) ?? builtIn;
  const implementation = function (this: Focus, ...args: unknown[]): unknown {
    const budget = budgetOf(this.environment);
    budget.checkTime();
    const result = inner.apply(this, args);
    return result instanceof Promise
      ? result.then((value) => checked(budget, value))
      : checked(budget, result);
  };
  // JSONata asks for the number of parameters, and for partial application it reads their names in the source.
  Object.defineProperty(implementation, 'length', { value: builtIn.length });
  Object.defineProperty(implementation, 'toString', { value: () => builtIn.toString() });
  return implementation;
}

function checked(budget: EvaluationBudget, value: unknown): unknown {
  budget.checkValue(value);
  if (Array.isArray(value) && value.length > expressionLimits.sequenceLength) {
    throw new LimitExceeded(`It makes an array of more than ${expressionLimits.sequenceLength} items.`);
  }
  return value;
}

export function budgetOf(scope: Environment): EvaluationBudget {
  const budget = scope.lookup(budgetBinding);
  if (!(budget instanceof EvaluationBudget)) throw new Error('An expression was evaluated without a budget.');
  return budget;
}

function instantOf(scope: Environment): Date {
  const instant = scope.lookup(instantBinding);
  if (!(instant instanceof Date)) throw new Error('An expression was evaluated without an instant.');
  return instant;
}

/** Built-ins that are dangerous or not repeatable as they are, and what stands in for them. */
const replacements: Readonly<Record<string, (builtIn: Implementation) => Implementation>> = {
  now: () =>
    function (picture, timezone) {
      const format = environment.lookup('fromMillis');
      if (!isFunctionDefinition(format)) throw new Error('This version of JSONata has no $fromMillis.');
      return format.implementation.call(this, instantOf(this.environment).getTime(), picture, timezone);
    },
  millis: () =>
    function () {
      return instantOf(this.environment).getTime();
    },
  toMillis: (builtIn) =>
    function (text, picture) {
      refuseAmbiguousPicture(text, picture);
      // What the picture leaves out is taken from `timestamp`, which would be the clock of this host.
      const timestamp = instantOf(this.environment);
      return builtIn.call({ ...this, environment: { ...this.environment, timestamp } }, text, picture);
    },
  pad: (builtIn) =>
    function (text, width, fill) {
      if (typeof width === 'number') refuseLength(Math.abs(width));
      return builtIn.call(this, text, width, fill);
    },
  join: (builtIn) =>
    function (texts, separator) {
      const gap = typeof separator === 'string' ? separator.length : 0;
      if (Array.isArray(texts))
        refuseLength(texts.reduce((sum: number, text) => sum + lengthOf(text) + gap, 0));
      return builtIn.call(this, texts, separator);
    },
  distinct: (builtIn) =>
    function (values) {
      // The built-in compares each with each, 5 * 10^9 times for 10^5 values.
      if (!Array.isArray(values) || values.length <= 1) return builtIn.call(this, values);
      return markAsSequence(distinctValues(values), values);
    },
  sort: (builtIn) =>
    function (values, comparator) {
      // The built-in copies the rest of the array for each item it merges; only an ordering given by the
      // expression itself passes the guards often enough for that to be harmless.
      if (comparator !== undefined || !isSortable(values)) return builtIn.call(this, values, comparator);
      return values.toSorted((a, b) => (a > b ? 1 : a < b ? -1 : 0));
    },
};

function isSortable(values: unknown): values is readonly (string | number)[] {
  if (!Array.isArray(values) || values.length <= 1) return false;
  return (
    values.every((value) => typeof value === 'string') || values.every((value) => Number.isFinite(value))
  );
}

/** A sequence of one item counts as that item in JSONata, an array of one does not: the mark must be kept. */
function markAsSequence(values: unknown[], like: object): unknown[] {
  return 'sequence' in like ? Object.assign(values, { sequence: true }) : values;
}

/** The first of each value, by value for scalars and regardless of the order of keys for objects. */
function distinctValues(values: readonly unknown[]): unknown[] {
  const scalars = new Set<unknown>();
  const structures = new Set<string>();
  return values.filter((value) => {
    const isStructure = typeof value === 'object' && value !== null;
    const before = scalars.size + structures.size;
    if (isStructure) structures.add(canonicalText(value));
    else scalars.add(value);
    return scalars.size + structures.size > before;
  });
}

function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function lengthOf(text: unknown): number {
  return typeof text === 'string' ? text.length : 0;
}

function refuseLength(length: number): void {
  if (length <= expressionLimits.stringLength) return;
  throw new LimitExceeded(`It makes a string of more than ${expressionLimits.stringLength} characters.`);
}

/**
 * JSONata turns a picture into a regex that backtracks: `[D][M][Y]…` side by side tries every way to deal out
 * the digits. Fields of fixed width and fields with a separator between them are harmless.
 */
function refuseAmbiguousPicture(text: unknown, picture: unknown): void {
  if (typeof picture !== 'string' || typeof text !== 'string') return;
  const variable = picture.replaceAll(/\[[YMDdHhms]0+1\]/g, '').match(/\](?=[[0-9A-Za-z])/g) ?? [];
  if (text.length <= 64 && picture.length <= 256 && variable.length <= 3) return;
  throw new LimitExceeded(
    '`$toMillis` reads 64 characters, with separators between the fields of its picture.',
  );
}
