import { statement } from '#platform';

/**
 * Purpose: holds a live run still while it is being canceled, and says who has it. No row: it is not live.
 * Locks: the queue row, so the run cannot be claimed, parked or finished meanwhile. Index: run_queue_pkey.
 */
export const lockLiveRun = statement<
  [runId: string, workspaceId: string],
  {
    readonly state: 'queued' | 'owned' | 'parked' | 'undecided' | 'gated' | 'paused';
    readonly limited: boolean;
    readonly keyHash: string | null;
  }
>(
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
 * Purpose: ends a run that no worker holds: the run, its waiting nodes, its last event, its place in the queue.
 * Called after lock-live-run in the same transaction. Index: primary keys. Rows: one run.
 */
export const cancelHeldByNobody = statement<[runId: string, now: Date | null, error: string, event: string]>(
  'cancel-held-by-nobody',
  `with gone as (
     delete from run_queue where run_id = $1::uuid and state <> 'owned' returning run_id, workspace_id, parent_run_id, retention_days
   ), ended as (
     update workflow_runs r
        set outcome = 'canceled', error = $3::json, finished_at = coalesce($2::timestamptz, now()),
            started_at = (select min(started_at) from workflow_node_runs where run_id = $1::uuid)
       from gone where r.id = gone.run_id and r.retention_days = gone.retention_days and r.outcome is null
   ), nodes as (
     update workflow_node_runs n set status = 'canceled', state = null, finished_at = coalesce($2::timestamptz, now())
       from gone where n.run_id = gone.run_id and n.retention_days = gone.retention_days and n.status in ('waiting', 'running')
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
   ), last as (
     select coalesce(max(last_seq), 1) as seq from workflow_run_events where run_id = $1::uuid
   )
   insert into workflow_run_events (run_id, first_seq, last_seq, workspace_id, events, retention_days)
   select gone.run_id, last.seq + 1, last.seq + 1, gone.workspace_id, json_build_array($4::json), gone.retention_days
     from gone cross join last`,
);
