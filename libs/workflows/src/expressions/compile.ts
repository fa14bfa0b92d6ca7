import jsonata from 'jsonata';
import type { JsonValue } from '../definition/json';
import { EvaluationBudget } from './budget';
import { cleanJson } from './clean-json';
import { ExpressionError, type ExpressionErrorCode } from './expression-error';
import { fastPath, type FastPath } from './fast-path';
import {
  budgetBinding,
  budgetOf,
  type Environment,
  guardedFunction,
  type HookTarget,
  instantBinding,
} from './functions';
import { expressionLimits, LimitExceeded } from './limits';
import { regexEngineFor, type RegexLikeConstructor, type RunningEvaluation } from './linear-regex';
import { type ScopeReference, scopeReferences } from './references';
import { parserOverload } from './scan';
import type { ExpressionScope } from './scope';
import { type SecretUse, secretUse } from './secret-use';
import { everyNode, isSyntaxNode, type SyntaxNode } from './syntax-tree';
import { takeTurn } from './turns';
import { checkVocabulary, Unsupported, variablesIn } from './vocabulary';

/** Where an expression stands: its text, the offset of the text in its string, and the pointer of the string. */
export interface ExpressionPlace {
  readonly source: string;
  readonly start: number;
  readonly pointer: string;
}

/** An expression that is ready to run, for as often as its version runs. */
export interface CompiledExpression {
  readonly place: ExpressionPlace;
  readonly references: readonly ScopeReference[];
  readonly secrets: SecretUse;
  /** Answers at once or says that `evaluate` must be asked. */
  readonly fast: FastPath | undefined;
  /** Rejects with an `ExpressionError`; gives undefined for nothing. */
  evaluate(scope: ExpressionScope): Promise<JsonValue | undefined>;
}

/** Compiles one expression. Throws `ExpressionError` with code `expression_syntax`. */
export function compileExpression(place: ExpressionPlace): CompiledExpression {
  const overload = parserOverload(place.source);
  if (overload !== undefined) throw expressionError(place, 'expression_syntax', { reason: overload });
  try {
    return compiled(place);
  } catch (error) {
    throw translated(place, 'expression_syntax', error);
  }
}

/** What there is to say about a failure; `position` counts from the beginning of the expression. */
interface Complaint {
  readonly reason: string;
  readonly position?: number;
  readonly cause?: Error;
}

/** The error of an expression, in words: which expression, and what is wrong with it. */
export function expressionError(
  place: ExpressionPlace,
  code: ExpressionErrorCode,
  complaint: Complaint,
): ExpressionError {
  const expression = place.source.trim();
  const shown = expression.length <= 120 ? expression : `${expression.slice(0, 117)}…`;
  const message = `The expression {{ ${shown} }} ${headlines[code]}. ${complaint.reason}`;
  const position = complaint.position === undefined ? {} : { position: place.start + complaint.position };
  const options = complaint.cause === undefined ? {} : { cause: complaint.cause };
  return new ExpressionError({ code, message, expression, pointer: place.pointer, ...position }, options);
}

const headlines: Readonly<Record<ExpressionErrorCode, string>> = {
  expression_syntax: 'can not be used',
  expression_undefined: 'gives nothing',
  expression_failed: 'failed',
  expression_limit: 'takes too much',
};

interface ParserOptions {
  readonly timeout?: number;
  readonly stack?: number;
  readonly sequence?: number;
  readonly RegexEngine?: RegexLikeConstructor;
}

/**
 * JSONata's types ask for the global RegExp as `RegexEngine`, while it only makes instances and calls `exec` on them.
 * A method may narrow the type of its parameter, a function may not: hence the object.
 */
const parser: { parse(source: string, options?: ParserOptions): HookTarget & jsonata.Expression } = {
  parse: jsonata,
};

function compiled(place: ExpressionPlace): CompiledExpression {
  const running: RunningEvaluation = { budget: new EvaluationBudget() };
  const { stackDepth, sequenceLength } = expressionLimits;
  const options = { stack: stackDepth, sequence: sequenceLength };
  const expression = parser.parse(place.source, { ...options, RegexEngine: regexEngineFor(running) });
  const root: unknown = expression.ast();
  if (!isSyntaxNode(root)) throw new Unsupported('It is empty.');
  checkVocabulary(root);
  for (const name of variablesIn(root)) {
    const definition = guardedFunction(name);
    if (definition !== undefined) expression.assign(name, definition);
  }
  watchResults(expression, root);
  return {
    place,
    references: scopeReferences(root),
    secrets: secretUse(root),
    fast: fastPath(root),
    evaluate: evaluator({ place, expression, running, root }),
  };
}

interface Evaluator {
  readonly place: ExpressionPlace;
  readonly expression: HookTarget;
  readonly running: RunningEvaluation;
  readonly root: SyntaxNode;
}

function evaluator({ place, expression, running, root }: Evaluator): CompiledExpression['evaluate'] {
  const writes = writesToItsInput(root);
  const evaluate = async (scope: ExpressionScope): Promise<JsonValue | undefined> => {
    const budget = new EvaluationBudget();
    running.budget = budget;
    try {
      const bindings = { [budgetBinding]: budget, [instantBinding]: new Date(scope.run.startedAt) };
      const result = await expression.evaluate(writes ? cleanJson(scope) : scope, bindings);
      budget.checkValue(result);
      return result === undefined ? undefined : cleanJson(result);
    } catch (error) {
      throw translated(place, 'expression_failed', error);
    } finally {
      budget.end();
    }
  };
  return (scope) => takeTurn(() => evaluate(scope));
}

/**
 * Checks what each step of the expression makes. Steps that only look up what is already there are left out:
 * measuring a large trigger again and again would cost more than the expression.
 */
function watchResults(expression: HookTarget, root: SyntaxNode): void {
  const lookups = new WeakSet<object>();
  for (const node of everyNode(root)) if (isLookup(node)) lookups.add(node);
  expression.assign(Symbol.for('jsonata.__evaluate_exit'), (...step: EvaluatedStep) => {
    const [node, , environment, result] = step;
    const budget = budgetOf(environment);
    if (environment.base !== undefined) budget.watch(environment.base.guardrails);
    budget.checkTime();
    if (!lookups.has(node)) budget.checkValue(result);
  });
}

/** What JSONata tells of each step: the node of the syntax tree, its input, its frame, and what it gave. */
type EvaluatedStep = [node: object, input: unknown, environment: Environment, result: unknown];

function isLookup(node: SyntaxNode): boolean {
  if (Object.hasOwn(node, 'group')) return false;
  if (node['type'] === 'name' || node['type'] === 'variable') return true;
  const steps = node['steps'];
  return (
    node['type'] === 'path' &&
    Array.isArray(steps) &&
    steps.every((step) => isSyntaxNode(step) && isLookup(step))
  );
}

/**
 * JSONata writes into its input in two corners: `{…}` after a path pushes an entry into an empty array, and
 * `[]` marks an array. Such expressions are given a copy.
 */
function writesToItsInput(root: SyntaxNode): boolean {
  return [...everyNode(root)].some((node) =>
    ['group', 'keepArray', 'keepSingletonArray'].some((mark) => Object.hasOwn(node, mark)),
  );
}

const limitCodes: ReadonlySet<unknown> = new Set(['D1011', 'D1012', 'D2014', 'D2015']);

/** JSONata throws plain objects with a code, a sentence and a position; the language and we throw errors. */
function translated(
  place: ExpressionPlace,
  code: 'expression_syntax' | 'expression_failed',
  error: unknown,
): ExpressionError {
  const known = isSyntaxNode(error) ? error : {};
  const isLimit =
    error instanceof LimitExceeded || error instanceof RangeError || limitCodes.has(known['code']);
  const { message, position } = known;
  return expressionError(place, isLimit && code === 'expression_failed' ? 'expression_limit' : code, {
    reason: typeof message === 'string' ? message : 'It can not be evaluated.',
    ...(typeof position === 'number' ? { position } : {}),
    // The plain objects carry values of the run, which must not find their way into a log.
    ...(error instanceof Error ? { cause: error } : {}),
  });
}
