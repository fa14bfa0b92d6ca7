/** A node's result, recorded once, when it is there; or what it keeps until then. Texts are JSON. */
export interface NodeRecord {
  readonly nodeId: string;
  readonly iteration: string;
  readonly status: 'running' | 'succeeded' | 'failed' | 'skipped' | 'waiting' | 'canceled';
  readonly attempts: number;
  readonly ports: string;
  readonly output: string | null;
  readonly error: string | null;
  readonly state: string | null;
  readonly resumeAt: Date | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  /** `update` changes a row that was written when the node began. */
  readonly write: 'insert' | 'update';
}

/** A node of a run. */
export interface NodeAddress {
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
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
      /** The node that waits for this run's end, and what it is told. */
      readonly told: { readonly parent: NodeAddress; readonly message: string } | null;
      /** Of a run that failed: the workflow that is to hear of it. */
      readonly errorWorkflowId: string | null;
    }
  | {
      readonly kind: 'parked';
      /** `undecided`: nothing goes on before a person has decided. */
      readonly state: 'parked' | 'undecided';
      /** Null: only a message ends the wait. */
      readonly resumeAt: Date | null;
      /** How many messages of all there have ever been for the run it knows of. */
      readonly seenSignals: number;
    };

/** What has happened to one run since its last checkpoint. */
export interface Segment {
  readonly runId: string;
  /** Under which of the run's claims this happened. */
  readonly claims: number;
  readonly workspaceId: string;
  readonly retentionDays: number;
  readonly nodes: readonly NodeRecord[];
  readonly firstSeq: number;
  /** Event objects as JSON texts, numbered from firstSeq. */
  readonly events: readonly string[];
  /** Nodes whose message has had its effect, which is in this segment. */
  readonly consumed: readonly Pick<NodeAddress, 'nodeId' | 'iteration'>[];
  /** The run had been rescued and has now got further: what rescued it does not count against it any more. */
  readonly recovered: boolean;
  readonly end: RunEnd | null;
}
