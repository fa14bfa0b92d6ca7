import { statement } from '#platform';
import type { WorkflowDefinition } from '../definition/schema';

/** Purpose: what a live run executes. Index: run_queue_pkey, workflow_runs_pkey, workflow_versions_pkey. Rows: one. */
export const findLiveDefinition = statement<
  [workspaceId: string, runId: string],
  { readonly definition: WorkflowDefinition }
>(
  'find-live-definition',
  `select v.definition
     from (select run_id from run_queue where run_id = $2::uuid and workspace_id = $1::uuid) q
    cross join lateral (select version_id from workflow_runs where id = q.run_id limit 1) r
    cross join lateral (select definition from workflow_versions where id = r.version_id limit 1) v`,
);
