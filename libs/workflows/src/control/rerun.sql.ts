import { statement } from '#platform';
import type { WorkflowDefinition } from '../definition/schema';
import type { NodeOfRun } from '../definition/kept-nodes';
import type { RunOrigin } from '../engine/run-origin';

/** A run as far as another one does it again. */
export interface RerunSource {
  readonly runId: string;
  readonly workflowId: string;
  readonly versionId: string;
  readonly triggerNode: string;
  readonly triggerKind: string;
  readonly input: unknown;
  readonly origin: RunOrigin | null;
  readonly outcome: 'succeeded' | 'failed' | 'canceled' | null;
}

/** Purpose: what a rerun begins with. Locks: none. Index: workflow_runs_workspace_id_id_idx of one partition. Rows: one or none. */
export const findRerunSource = statement<[workspaceId: string, runId: string], RerunSource>(
  'find-rerun-source',
  `select id as "runId", workflow_id as "workflowId", version_id as "versionId", trigger_node as "triggerNode",
          trigger_kind as "triggerKind", input, origin, outcome
     from workflow_runs where id = $2::uuid and workspace_id = $1::uuid`,
);

/** Purpose: what is recorded of a run outside its loops. Locks: none. Index: workflow_node_runs_pkey. Rows: at most the graph's nodes. */
export const listNodesOfRun = statement<[workspaceId: string, runId: string], NodeOfRun>(
  'list-nodes-of-run',
  `select node_id as "nodeId", status
     from workflow_node_runs where run_id = $2::uuid and workspace_id = $1::uuid and iteration = ''`,
);

/** Purpose: the graph that a run is pinned to. Locks: none. Index: workflow_versions_pkey. Rows: one. */
export const findDefinition = statement<
  [workspaceId: string, versionId: string],
  { readonly definition: WorkflowDefinition }
>(
  'find-definition-of-version',
  `select definition from workflow_versions where id = $2::uuid and workspace_id = $1::uuid`,
);
