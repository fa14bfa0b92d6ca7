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
};

/** The names an expression may begin with: `trigger`, `nodes` and `run`. */
export type ExpressionScope = {
  /** The event that started the run. */
  readonly trigger: JsonValue;
  /** Outputs by node id, of the nodes that have succeeded. */
  readonly nodes: JsonObject;
  readonly run: RunScope;
};
