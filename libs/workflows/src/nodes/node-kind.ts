import type { z } from 'zod';
import type { JsonObject, JsonValue } from '../definition/json';

/** A node's failure as it is recorded on its node run and shown to people: a stable code, a sentence, evidence. */
export interface NodeError {
  /** `node.snake_case`, `egress.snake_case`, or `custom.snake_case` when the author of the workflow chose it. */
  readonly code: string;
  readonly message: string;
  readonly details?: JsonObject;
}

/** What a node may say when it has been executed. Values, not exceptions: a thrown error is a bug of ours. */
export type NodeOutcome =
  /** Finished. `ports` are the output ports taken (default `["out"]`); every other port's paths are dead. */
  | { readonly kind: 'done'; readonly output: JsonValue; readonly ports?: readonly string[] }
  /** Nothing to do until `resumeAt`; then `resume` is called, perhaps in another process, perhaps years later. */
  | { readonly kind: 'wait'; readonly resumeAt: Date }
  | { readonly kind: 'failed'; readonly error: NodeError };

/** What a node is given. Params have their expressions resolved and are parsed by the kind's schema. */
export interface NodeExecution<P> {
  readonly params: P;
  /** The event that started the run; a trigger node's output is this very value. */
  readonly trigger: JsonValue;
  readonly runId: string;
  readonly nodeId: string;
  readonly workspaceId: string;
  /** Stable for this run and node across crashes: the `Idempotency-Key` of outgoing calls. */
  readonly idempotencyKey: string;
  readonly now: Date;
  /** Aborted when the run is canceled or this worker has lost its lease. */
  readonly signal: AbortSignal;
}

/**
 * One kind of node. `pure` kinds compute from their input alone: the engine may run them again and need not
 * wait for a commit. `effect` kinds touch the world: everything they depend on is committed before they begin.
 */
export interface NodeKind<P = unknown> {
  /** Dotted, e.g. `http.request`; triggers begin with `trigger.`. */
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly role: 'trigger' | 'action';
  readonly purity: 'pure' | 'effect';
  /** Shape of the params after expressions are resolved. Its JSON Schema is published. */
  readonly params: z.ZodType<P>;
  /** Output ports given the raw params; `error` is implied for every kind and not listed. */
  readonly ports: (params: JsonObject) => readonly string[];
  execute(input: NodeExecution<P>): NodeOutcome | Promise<NodeOutcome>;
  /** Called instead of `execute` once `resumeAt` has passed. Kinds that never wait leave it out. */
  resume?(input: NodeExecution<P>): NodeOutcome | Promise<NodeOutcome>;
}
