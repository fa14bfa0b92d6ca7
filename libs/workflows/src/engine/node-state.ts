import type { JsonValue } from '../definition/json';
import type { LoopItems } from '../definition/results';
import type { NodeError } from '../nodes/node-kind';

/** What a node that has begun and not ended keeps on its row, so that another worker can go on with it. */
export type NodeState =
  /** It waits for its time, or for a message. */
  | { readonly kind: 'wait'; readonly on: 'time' | 'callback' | 'approval'; readonly data: JsonValue }
  /** It failed and will be tried again. */
  | { readonly kind: 'retry'; readonly error: NodeError }
  /** It waits for the end of the run that it called. */
  | { readonly kind: 'child'; readonly runId: string }
  /** An attempt that may not be repeated without asking is being made. */
  | ({ readonly kind: 'attempt' } & AttemptEvidence)
  /** The attempt was interrupted, and a person has to say what becomes of it. */
  | ({ readonly kind: 'decision' } & AttemptEvidence)
  /** Its items are under way. */
  | ({ readonly kind: 'loop' } & LoopItems);

/** What is known of an attempt that was interrupted. */
export interface AttemptEvidence {
  readonly attempt: number;
  /** ISO 8601 instant. */
  readonly startedAt: string;
  /** The params with their expressions resolved; cut short when they are long. */
  readonly request: JsonValue;
}

/** A state in which a node is not being executed. */
export type WaitState = Extract<NodeState, { readonly kind: 'wait' | 'retry' | 'child' | 'decision' }>;
