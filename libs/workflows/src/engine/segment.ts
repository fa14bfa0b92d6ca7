/** A node's result, recorded once, when it is there. Texts are JSON. */
export interface NodeRecord {
  readonly nodeId: string;
  readonly iteration: string;
  readonly status: 'succeeded' | 'failed' | 'skipped' | 'waiting' | 'canceled';
  readonly ports: string;
  readonly output: string | null;
  readonly error: string | null;
  readonly resumeAt: Date | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  /** `update` ends a row that was written when the node began to wait. */
  readonly write: 'insert' | 'update';
}

/** How a run leaves the worker's hands. Texts are JSON. */
export type RunEnd =
  | {
      readonly kind: 'finished';
      readonly outcome: 'succeeded' | 'failed' | 'canceled';
      readonly output: string | null;
      readonly error: string | null;
      readonly startedAt: Date;
      readonly finishedAt: Date;
    }
  | { readonly kind: 'parked'; readonly resumeAt: Date };

/** What has happened to one run since its last checkpoint. */
export interface Segment {
  readonly runId: string;
  readonly workspaceId: string;
  readonly nodes: readonly NodeRecord[];
  readonly firstSeq: number;
  /** Event objects as JSON texts, numbered from firstSeq. */
  readonly events: readonly string[];
  readonly end: RunEnd | null;
}
