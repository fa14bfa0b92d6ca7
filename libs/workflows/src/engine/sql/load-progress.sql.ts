import { statement } from '#platform';
import type { JsonValue } from '../../definition/json';
import type { NodeError } from '../../nodes/node-kind';
import type { NodeState } from '../node-state';

/** A node run as it was recorded. */
export interface RecordedNode {
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
  readonly status: 'running' | 'waiting' | 'succeeded' | 'failed' | 'skipped' | 'canceled';
  readonly attempts: number;
  readonly ports: string;
  readonly output: JsonValue;
  readonly outputBytes: number;
  readonly error: NodeError | null;
  readonly state: NodeState | null;
  readonly resumeAt: Date | null;
  readonly startedAt: Date;
}

/**
 * Purpose: what has been recorded of runs that were claimed before. Index: workflow_node_runs_pkey of the runs'
 * partitions. Rows: at most the nodes of the graphs.
 */
export const loadNodeRuns = statement<[runIds: readonly string[]], RecordedNode>(
  'load-node-runs',
  `select run_id as "runId", node_id as "nodeId", iteration, status, attempts, ports, output,
          coalesce(octet_length(output::text), 0) as "outputBytes", error, state,
          resume_at as "resumeAt", started_at as "startedAt"
     from workflow_node_runs where run_id = any ($1::uuid[])`,
);

/**
 * Purpose: the number of each run's last event, and the version that the run is pinned to. While the run waited it may
 * have been pinned to another; the claim's own snapshot can be older than that, this one is not: what is in hand is not
 * pinned anew. Index: workflow_run_events_pkey and workflow_runs_pkey, one probe per run.
 */
export const loadLastSeq = statement<
  [runIds: readonly string[]],
  { readonly runId: string; readonly lastSeq: number; readonly versionId: string }
>(
  'load-last-seq',
  `select r.run_id as "runId", e.last_seq as "lastSeq", v.version_id as "versionId"
     from unnest($1::uuid[]) as r (run_id)
    cross join lateral (
      select last_seq from workflow_run_events where run_id = r.run_id order by first_seq desc limit 1) e
    cross join lateral (select version_id from workflow_runs w where w.id = r.run_id limit 1) v`,
);
