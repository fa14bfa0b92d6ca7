import { statement } from '#platform';
import type { QueueState } from '../queue-state';

/** What a live run takes of the limits: a place of its workflow and workspace, the slot of its key. */
export interface HeldPlace {
  readonly limited: boolean;
  readonly keyHash: string | null;
}

/** A live run in the queue. */
export interface LiveRun extends HeldPlace {
  readonly state: QueueState;
}

/**
 * Purpose: holds a live run still while it is being canceled, and says who has it. No row: it is not live.
 * Locks: the queue row, so the run cannot be claimed, parked or finished meanwhile. Index: run_queue_pkey.
 */
export const lockLiveRun = statement<[runId: string, workspaceId: string], LiveRun>(
  'lock-live-run',
  `select state, limited, key_hash as "keyHash" from run_queue where run_id = $1::uuid and workspace_id = $2::uuid for update`,
);

/** Purpose: asks the worker that holds the run to stop it. Index: run_queue_pkey. */
export const requestCancel = statement<[runId: string, now: Date | null]>(
  'request-cancel',
  `update run_queue set cancel_requested_at = coalesce(cancel_requested_at, $2::timestamptz, now())
    where run_id = $1::uuid and state = 'owned'`,
);

/**
 * Purpose: ends runs that no worker holds: the runs, their waiting nodes, their last events, their places in the queue.
 * Called in the transaction that has locked their queue rows. Index: primary keys. Rows: those runs.
 */
export const cancelHeldByNobody = statement<
  [runIds: readonly string[], now: Date | null, error: string, event: string]
>(
  'cancel-held-by-nobody',
  `with gone as (
     delete from run_queue where run_id = any ($1::uuid[]) and state <> 'owned'
     returning run_id, workspace_id, parent_run_id, retention_days
   ), ended as (
     update workflow_runs r
        set outcome = 'canceled', error = $3::json, finished_at = coalesce($2::timestamptz, now()),
            started_at = (select min(started_at) from workflow_node_runs n where n.run_id = gone.run_id)
       from gone where r.id = gone.run_id and r.retention_days = gone.retention_days and r.outcome is null
   ), nodes as (
     update workflow_node_runs n set status = 'canceled', state = null, finished_at = coalesce($2::timestamptz, now())
      where n.run_id = any (array(select run_id from gone)) and n.status in ('waiting', 'running')
     returning node_id
   ), told as (
     -- A run that waits for this one hears of it.
     insert into run_signals (run_id, node_id, iteration, workspace_id, message)
     select gone.parent_run_id, r.origin -> 'parent' ->> 'nodeId', r.origin -> 'parent' ->> 'iteration',
            gone.workspace_id, json_build_object('outcome', 'canceled', 'output', null, 'error', $3::json)
       from gone
      cross join lateral (
        select origin from workflow_runs w where w.id = gone.run_id and w.retention_days = gone.retention_days limit 1) r
      where gone.parent_run_id is not null
     on conflict do nothing
   )
   insert into workflow_run_events (run_id, first_seq, last_seq, workspace_id, events, retention_days)
   select gone.run_id, last.seq + 1, last.seq + 1, gone.workspace_id, json_build_array($4::json), gone.retention_days
     from gone
    cross join lateral (
      select coalesce(max(last_seq), 1) as seq from workflow_run_events e where e.run_id = gone.run_id) last`,
);

/** Live runs of a workflow that are to stop: which states, and how many at a time. */
type OfWorkflow = [workspaceId: string, workflowId: string, states: readonly string[], limit: number];

/**
 * Purpose: holds live runs of a workflow that no worker has, to end them. Rows that somebody else is at are left for
 * the next round: waiting for them while holding others could end in a deadlock with a checkpoint.
 * Locks: the queue rows, skipping locked ones. Index: run_queue_workflow_id_idx. Rows: at most $4.
 */
export const lockHeldByNobody = statement<OfWorkflow, HeldPlace & { readonly runId: string }>(
  'lock-held-by-nobody-of-workflow',
  `select run_id as "runId", limited, key_hash as "keyHash" from run_queue
    where workflow_id = $2::uuid and workspace_id = $1::uuid and state = any ($3::text[]) and state <> 'owned'
    order by run_id limit $4::integer for update skip locked`,
);

/**
 * Purpose: asks workers to stop what they hold of a workflow; one that was asked is not asked again.
 * Locks: the queue rows, skipping locked ones. Index: run_queue_workflow_id_idx, run_queue_pkey. Rows: at most $3.
 */
export const requestCancelOfWorkflow = statement<
  [workspaceId: string, workflowId: string, limit: number, now: Date | null],
  { readonly runId: string; readonly worker: string }
>(
  'request-cancel-of-workflow',
  `with held as materialized (
     select run_id from run_queue
      where workflow_id = $2::uuid and workspace_id = $1::uuid and state = 'owned' and cancel_requested_at is null
      order by run_id limit $3::integer for update skip locked
   )
   update run_queue q set cancel_requested_at = coalesce($4::timestamptz, now())
    where q.run_id = any (array(select run_id from held))
   returning q.run_id as "runId", q.worker_id as worker`,
);

/** Purpose: whether runs are left that were to stop. Locks: none. Index: run_queue_workflow_id_idx. Rows: one. */
export const anyToCancel = statement<
  [workspaceId: string, workflowId: string, states: readonly string[]],
  { readonly more: boolean }
>(
  'any-to-cancel-of-workflow',
  `select (
     select run_id from run_queue
      where workflow_id = $2::uuid and workspace_id = $1::uuid and state = any ($3::text[])
        and (state <> 'owned' or cancel_requested_at is null)
      order by run_id limit 1) is not null as more`,
);
