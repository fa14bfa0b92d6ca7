import type { JsonObject, JsonValue } from '../definition/json';

// Type aliases and not interfaces, because only those may be used as the JSON objects they are.

/** What an expression sees of the run it belongs to. All of it is fixed when the run starts. */
export type RunScope = {
  readonly id: string;
  readonly workflowId: string;
  readonly workspaceId: string;
  readonly version: number;
  /** ISO 8601 instant. `$now()` and `$millis()` give this instant, so that a repeated node computes the same. */
  readonly startedAt: string;
  /** Addresses of the nodes that wait for a call, by their ids. */
  readonly callbacks?: { readonly [nodeId: string]: string };
};

/** What an expression in the body of a loop sees in addition. */
export type LoopNames = {
  /** The item of the innermost loop, and its number from 0. */
  readonly item: JsonValue;
  readonly index: number;
  /** The same of each loop around, by the id of its node. */
  readonly loops: { readonly [nodeId: string]: { readonly item: JsonValue; readonly index: number } };
};

/** What stands for the values of secrets, by their names. */
export type StandInTexts = { readonly [name: string]: string };

/** The names an expression may begin with: `trigger`, `nodes` and `run`; in loops `item`, `index` and `loops`. */
export type ExpressionScope = {
  /** The event that started the run. */
  readonly trigger: JsonValue;
  /** Outputs by node id, of the nodes that have succeeded; of those whose failure is taken care of, `{error}`. */
  readonly nodes: JsonObject;
  readonly run: RunScope;
  /** Only in the condition under which a node is tried again: what went wrong. */
  readonly error?: JsonObject;
  /** Only in expressions that name secrets: what stands for each of them until the effect. */
  readonly secrets?: StandInTexts;
} & (LoopNames | { readonly [Name in keyof LoopNames]?: never });
