import { statement } from '#platform';
import type { JsonValue } from '../../definition/json';
import type { RunOrigin } from '../run-origin';

/** A run that is now this worker's: what is needed to begin or go on. */
export interface ClaimedRun {
  readonly runId: string;
  readonly workspaceId: string;
  readonly workflowId: string;
  readonly versionId: string;
  readonly retentionDays: number;
  readonly triggerNode: string;
  readonly input: JsonValue;
  readonly inputBytes: number;
  readonly origin: RunOrigin | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  /** bigint as text. */
  readonly turn: string;
  /** 1 at the first claim: nothing can have been recorded before it. */
  readonly claims: number;
  readonly rescues: number;
  readonly cancelRequested: boolean;
  /** How many messages there had ever been for it when it was claimed. */
  readonly signalCount: number;
  /** Whether it takes one of its plan's places while it executes. */
  readonly limited: boolean;
  /** The key whose slot it holds to its end; null when it needs none. */
  readonly keyHash: string | null;
}

/** A run that was looked at: claimed, unless it is kept back; see TAKE. */
export interface TakenRun extends ClaimedRun {
  readonly state: 'owned' | 'gated' | 'paused';
  /** By the database's clock, after it was looked at what is due. */
  readonly databaseNow: Date;
}

/** The columns of TakenRun. The lateral limit keeps the run's row a probe of its primary key under any plan. */
const CLAIMED = `
  select m.run_id as "runId", m.workspace_id as "workspaceId", m.workflow_id as "workflowId",
         r.version_id as "versionId", m.retention_days as "retentionDays", r.trigger_node as "triggerNode", r.input, r.origin,
         octet_length(r.input::text) as "inputBytes",
         r.created_at as "createdAt", r.started_at as "startedAt", m.turn, m.claims, m.rescues,
         m.cancel_requested_at is not null as "cancelRequested", m.signal_count as "signalCount", m.limited, m.key_hash as "keyHash", m.state,
         clock_timestamp() as "databaseNow"
    from mine m
   cross join lateral (
     select * from workflow_runs w where w.id = m.run_id and w.retention_days = m.retention_days limit 1) r
   order by m.turn`;

/** A run of a paused workflow is not begun; one that is to be canceled is taken all the same, for that. */
const HELD = `q.cancel_requested_at is null and q.workflow_id = any (array(select id from held))`;

/** What becomes of a chosen row. A run under limits that is kept back waits at the gate, and takes no place there. */
function stateAfter(needsGate: 'false' | 'q.limited'): string {
  return `case when ${HELD} and not (q.limited or q.key_hash is not null) then 'paused'
               when ${HELD} or ${needsGate} then 'gated' else 'owned' end`;
}

/**
 * Takes the rows chosen by `next`, unless this worker has been declared dead. Rows of paused workflows are put aside
 * where a claim meets them: so pausing needs no index of the queue by workflow, and no run slips between the pausing and
 * a search for what is queued. The index of paused workflows is empty as a rule, and asked once per claim.
 */
function take(needsGate: 'false' | 'q.limited'): string {
  const state = stateAfter(needsGate);
  return `
   held as materialized (
     select id from workflows where paused_at is not null and id = any (array(select workflow_id from next))
   ), mine as (
     update run_queue q
        set state = ${state},
            worker_id = case ${state} when 'owned' then $1::uuid end,
            resume_at = null, signaled = q.signaled and ${state} <> 'owned',
            claims = q.claims + case ${state} when 'owned' then 1 else 0 end
      where q.run_id = any (array(select run_id from next)) and exists (select from fence)
     returning q.run_id, q.workspace_id, q.workflow_id, q.retention_days, q.turn, q.claims, q.rescues,
               q.cancel_requested_at, q.signal_count, q.limited, q.key_hash, q.state
   )`;
}

const FENCE = `fence as materialized (select from engine_workers where id = $1::uuid for key share)`;

/**
 * Purpose: takes the runs whose turn it is. Locks: the chosen queue rows, skipping locked ones; the worker's row FOR
 * KEY SHARE. Index: run_queue_turn_idx, workflows_paused_idx; run_queue_pkey and workflow_runs_pkey per row.
 * Rows: at most $2.
 */
export const claimQueued = statement<[workerId: string, limit: number], TakenRun>(
  'claim-queued',
  `with ${FENCE}, next as materialized (
     select run_id, workflow_id from run_queue where state = 'queued' order by turn limit $2 for update skip locked
   ), ${take('false')} ${CLAIMED}`,
);

/**
 * Purpose: takes runs whose time has come; the database's clock says so. Those under their plan's limits go to the gate,
 * because they gave up their place when they began to wait.
 * Index: run_queue_resume_at_idx; otherwise as claim-queued.
 */
export const claimDue = statement<[workerId: string, limit: number, now: Date | null], TakenRun>(
  'claim-due',
  `with ${FENCE}, next as materialized (
     select run_id, workflow_id from run_queue where resume_at <= coalesce($3::timestamptz, now())
      order by resume_at limit $2 for update skip locked
   ), ${take('q.limited')} ${CLAIMED}`,
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
