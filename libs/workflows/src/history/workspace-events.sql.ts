import { statement } from '#platform';
import type { RunEvent } from '../engine/run-events';

/** Where a reader of a workspace's events stands: behind an event of a run that a transaction has written. */
export interface StreamPosition {
  /** The number of the transaction; bigint as text. */
  readonly xact: string;
  readonly runId: string;
  readonly seq: number;
}

/**
 * Purpose: up to where events can be read, and from where on they can be taken up again. Whatever has a smaller number
 * than `next` is committed or will never be; what is still under way has a greater one, whenever it commits.
 * Index: history_marks_pkey. Rows: one.
 */
export const streamHorizon = statement<
  [minutes: number, now: Date | null],
  { readonly next: string; readonly oldest: string | null }
>(
  'stream-horizon',
  `select pg_snapshot_xmin(pg_current_snapshot())::text as next,
          (select xact::text from history_marks
            where at < coalesce($2::timestamptz, now()) - make_interval(mins => $1::integer)
            order by at desc limit 1) as oldest`,
);

/** Events that one transaction has recorded of one run. `events` is null for the run's creation, which is event 1. */
export interface WorkspaceChunk {
  readonly xact: string;
  readonly runId: string;
  readonly firstSeq: number;
  readonly events: readonly RunEvent[] | null;
  readonly createdAt: Date | null;
}

/** Of transactions from $2 up to $5, as far as all of them are over; the barrier leaves the planner no other index. */
const within = (table: string) =>
  `(select * from ${table}
     where xact >= $2::bigint and xact < least($5::bigint, pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
    offset 0)`;

/**
 * Purpose: a workspace's events behind a position, in the order of the transactions that wrote them. A run's own are in
 * the order of their numbers, since each of its checkpoints begins after the last one's commit.
 * Index: workflow_runs_xact_idx and workflow_run_events_xact_idx of each partition. Rows: at most $6.
 */
export const readWorkspaceEvents = statement<
  [workspaceId: string, xact: string, runId: string, seq: number, untilXact: string, limit: number],
  WorkspaceChunk
>(
  'read-workspace-events',
  `select xact::text as xact, run_id as "runId", first_seq as "firstSeq", events, created_at as "createdAt"
     from (select xact, id as run_id, 1 as first_seq, null::json as events, created_at
             from ${within('workflow_runs')} r
            where workspace_id = $1::uuid and (xact, id, 1) > ($2::bigint, $3::uuid, $4::integer)
           union all
           select xact, run_id, first_seq, events, null
             from ${within('workflow_run_events')} e
            where workspace_id = $1::uuid and (xact, run_id, last_seq) > ($2::bigint, $3::uuid, $4::integer)) told
    order by told.xact, told.run_id, told.first_seq limit $6`,
);
