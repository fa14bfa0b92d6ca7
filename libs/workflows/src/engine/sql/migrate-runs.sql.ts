import { statement } from '#platform';
import type { RecordedNodeRun } from '../../definition/migration';

/** A run that waits and is pinned to another version than the one it may go on with. */
export interface PinnedRun {
  readonly runId: string;
  readonly versionId: string;
}

/**
 * Purpose: holds runs of a workflow that wait and are pinned to other versions, behind a run. Rows that somebody else is
 * at are passed over: they are being woken, or end. Locks: the queue rows, skipping locked ones, so that nobody claims
 * these runs before the commit. Index: run_queue_workflow_id_idx, workflow_runs_pkey. Rows: at most $5.
 */
export const lockPinnedElsewhere = statement<
  [workspaceId: string, workflowId: string, versionId: string, afterId: string | null, limit: number],
  PinnedRun
>(
  'lock-runs-pinned-elsewhere',
  `select q.run_id as "runId", r.version_id as "versionId"
     from run_queue q
    cross join lateral (select version_id from workflow_runs w where w.id = q.run_id limit 1) r
    where q.workflow_id = $2::uuid and q.workspace_id = $1::uuid and q.state in ('parked', 'undecided')
      and q.cancel_requested_at is null and r.version_id <> $3::uuid
      and q.run_id > coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')
    order by q.run_id limit $5::integer for update of q skip locked`,
);

/** Purpose: what is recorded of runs, in whichever iteration. After the lock, in a statement of its own, so that nothing is missing. Index: workflow_node_runs_pkey. */
export const listRecorded = statement<
  [runIds: readonly string[]],
  RecordedNodeRun & { readonly runId: string }
>(
  'list-recorded-nodes',
  `select distinct run_id as "runId", node_id as "nodeId", status
     from workflow_node_runs where run_id = any ($1::uuid[])
    order by 1, 2, 3`,
);

/**
 * Purpose: pins runs that are held to another version, and tells so among their events. A run that another process has
 * pinned meanwhile stays as it is. Index: primary keys. Rows: those runs.
 */
export const pinRuns = statement<
  [runIds: readonly string[], versionId: string, event: string],
  { readonly runId: string }
>(
  'pin-runs-to-version',
  `with pinned as (
     update workflow_runs r set version_id = $2::uuid
      where r.id = any ($1::uuid[]) and r.version_id <> $2::uuid and r.outcome is null
     returning r.id, r.workspace_id, r.retention_days
   ), told as (
     insert into workflow_run_events (run_id, first_seq, last_seq, workspace_id, events, retention_days)
     select p.id, last.seq + 1, last.seq + 1, p.workspace_id, json_build_array($3::json), p.retention_days
       from pinned p
      cross join lateral (
        select coalesce(max(last_seq), 1) as seq from workflow_run_events e where e.run_id = p.id) last
   )
   select id as "runId" from pinned`,
);
