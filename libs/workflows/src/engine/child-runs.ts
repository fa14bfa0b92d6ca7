import type { JsonValue } from '../definition/json';
import type { NodeFailure } from '../nodes/node-kind';

/** A call of a workflow by a node of a run. */
export interface ChildRequest {
  readonly workspaceId: string;
  readonly caller: { readonly runId: string; readonly nodeId: string; readonly iteration: string };
  /** Of the node: a further attempt calls anew. */
  readonly attempt: number;
  /** How many calls lead to the run, this one included. */
  readonly depth: number;
  readonly workflowId: string;
  readonly input: JsonValue;
  /** Whether the caller waits for the end. */
  readonly wait: boolean;
  /** Aborted when the call is not wanted any more. */
  readonly signal: AbortSignal;
}

/** What came of it. */
export type ChildStart = { readonly kind: 'started'; readonly runId: string } | NodeFailure;

/** Starts runs for nodes that call workflows. Asked again for the same attempt of a node, it gives the same run. */
export abstract class ChildRuns {
  abstract start(request: ChildRequest): Promise<ChildStart>;
}
