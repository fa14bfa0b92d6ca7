import { statement } from '#platform';
import type { JsonValue } from '../../definition/json';
import type { RunOrigin } from '../run-origin';

/** A run that is now this worker's: what is needed to begin or go on. */
export interface ClaimedRun {
  readonly runId: string;
  readonly workspaceId: string;
  readonly workflowId: string;
  readonly versionId: string;
  readonly triggerNode: string;
  readonly input: JsonValue;
  readonly origin: RunOrigin | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  /** bigint as text. */
  readonly turn: string;
  /** 1 at the first claim: nothing can have been recorded before it. */
  readonly claims: number;
  readonly rescues: number;
  readonly cancelRequested: boolean;
}

/** The columns of ClaimedRun. The lateral limit keeps the run's row a probe of its primary key under any plan. */
const CLAIMED = `
  select m.run_id as "runId", m.workspace_id as "workspaceId", m.workflow_id as "workflowId",
         r.version_id as "versionId", r.trigger_node as "triggerNode", r.input, r.origin,
         r.created_at as "createdAt", r.started_at as "startedAt", m.turn, m.claims, m.rescues,
         m.cancel_requested_at is not null as "cancelRequested"
    from mine m
   cross join lateral (select * from workflow_runs w where w.id = m.run_id limit 1) r
   order by m.turn`;

/** Takes the rows chosen by `next`, unless this worker has been declared dead. */
const TAKE = `
   mine as (
     update run_queue q
        set state = 'owned', worker_id = $1::uuid, resume_at = null, claims = q.claims + 1, signaled = false
      where q.run_id = any (array(select run_id from next)) and exists (select from fence)
     returning q.run_id, q.workspace_id, q.workflow_id, q.turn, q.claims, q.rescues, q.cancel_requested_at
   )`;

const FENCE = `fence as materialized (select from engine_workers where id = $1::uuid for key share)`;

/**
 * Purpose: takes the runs whose turn it is. Locks: the chosen queue rows, skipping locked ones; the worker's row FOR
 * KEY SHARE. Index: run_queue_turn_idx; run_queue_pkey and workflow_runs_pkey per row. Rows: at most $2.
 */
export const claimQueued = statement<[workerId: string, limit: number], ClaimedRun>(
  'claim-queued',
  `with ${FENCE}, next as materialized (
     select run_id from run_queue where state = 'queued' order by turn limit $2 for update skip locked
   ), ${TAKE} ${CLAIMED}`,
);

/**
 * Purpose: takes runs whose time has come; the database's clock says so.
 * Index: run_queue_resume_at_idx; otherwise as claim-queued.
 */
export const claimDue = statement<[workerId: string, limit: number, now: Date | null], ClaimedRun>(
  'claim-due',
  `with ${FENCE}, next as materialized (
     select run_id from run_queue where resume_at <= coalesce($3::timestamptz, now())
      order by resume_at limit $2 for update skip locked
   ), ${TAKE} ${CLAIMED}`,
);

/**
 * Purpose: when the next parked run is due, in milliseconds from now; null when none waits for its time.
 * Index: run_queue_resume_at_idx. Rows: one.
 */
export const nextDue = statement<[now: Date | null], { readonly inMs: number }>(
  'next-due',
  `select greatest(0, extract(epoch from resume_at - coalesce($1::timestamptz, clock_timestamp())) * 1000)::float8
            as "inMs"
     from run_queue where resume_at is not null order by resume_at limit 1`,
);
