import type { JsonValue } from '../definition/json';

/** Why an execution gave no value. The codes are stable: kinds of node put `node.code_` before them. */
export type SandboxFailureCode =
  /** The code can not be read as the body of a function. */
  | 'syntax'
  /** It threw, or its promise was rejected. */
  | 'threw'
  | 'timeout'
  | 'memory'
  /** It called itself too deeply. */
  | 'stack'
  /** It waits for a promise that nothing will ever settle. */
  | 'never_settled'
  /** It returned what JSON can not hold. */
  | 'not_json'
  | 'output_too_large'
  | 'output_too_deep'
  | 'input_too_large'
  /** Too many executions wait for a thread already. */
  | 'sandbox_busy'
  /** The signal was aborted, or the sandbox is being closed. */
  | 'aborted'
  /** The thread or the engine in it broke. */
  | 'sandbox_failed';

/** An execution that gave no value. `line` and `column` are in the customer's code and begin at 1. */
export interface SandboxFailure {
  readonly kind: 'failed';
  readonly code: SandboxFailureCode;
  readonly message: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** What was logged before it failed; empty when the thread had to be killed. */
  readonly logs: readonly string[];
}

/** What became of an execution. */
export type SandboxResult =
  | { readonly kind: 'done'; readonly value: JsonValue; readonly logs: readonly string[] }
  | SandboxFailure;

/** A failure, by its code. */
export function sandboxFailure(
  code: SandboxFailureCode,
  message: string,
  more: Partial<Pick<SandboxFailure, 'line' | 'column' | 'logs'>> = {},
): SandboxFailure {
  return { kind: 'failed', code, message, logs: [], ...more };
}
