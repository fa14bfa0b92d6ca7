import { statement } from '#platform';

/**
 * Purpose: live runs of workspaces that nobody has asked to stop yet. Locks: none. Index: none; it reads the queue, which
 * is as long as there are live runs, seldom: after a deletion, and twice a minute while there are deleted workspaces.
 * Rows: at most the limit.
 */
export const listLiveRunsOf = statement<
  [workspaceIds: string, limit: number],
  { readonly workspaceId: string; readonly runId: string }
>(
  'list-live-runs-of-workspaces',
  `select workspace_id as "workspaceId", run_id as "runId" from run_queue
    where workspace_id = any (string_to_array($1, ',')::uuid[])
      and (state <> 'owned' or cancel_requested_at is null)
    limit $2::integer`,
);

/** Purpose: whether a worker still holds a run of a workspace, and may write to it. Reads the queue, see above. */
export const hasLiveRuns = statement<[workspaceId: string], { readonly live: boolean }>(
  'has-live-runs',
  `select exists (select from run_queue where workspace_id = $1::uuid) as live`,
);
