import { statement } from '#platform';
import type { AttemptEvidence } from '../engine/node-state';

/** A node that waits for a person's decision. */
export interface DecisionRow {
  readonly runId: string;
  readonly workflowId: string;
  readonly nodeId: string;
  readonly iteration: string;
  readonly evidence: AttemptEvidence;
}

/**
 * Purpose: what waits for a decision in a workspace, the oldest runs first, behind a run. Locks: none.
 * Index: run_queue_undecided_idx, then workflow_node_runs_pkey. Rows: the undecided nodes of at most $3 runs.
 */
export const listDecisions = statement<
  [workspaceId: string, afterId: string | null, runs: number],
  DecisionRow
>(
  'list-decisions',
  `select q.run_id as "runId", q.workflow_id as "workflowId", n.node_id as "nodeId", n.iteration,
          json_build_object('attempt', n.state -> 'attempt', 'startedAt', n.state -> 'startedAt',
                            'request', n.state -> 'request') as evidence
     from (select run_id, workflow_id from run_queue
            where workspace_id = $1::uuid and state = 'undecided'
              and run_id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')
            order by run_id limit $3::integer) q
    cross join lateral (
      select node_id, iteration, state from workflow_node_runs r
       where r.run_id = q.run_id and r.status = 'waiting' and r.state ->> 'kind' = 'decision'
       order by node_id, iteration limit 100) n
    order by q.run_id, n.node_id, n.iteration`,
);

/** Purpose: the version that a run is pinned to. Index: workflow_runs_workspace_id_id_idx. Rows: one or none. */
export const findVersionOfRun = statement<
  [workspaceId: string, runId: string],
  { readonly versionId: string }
>(
  'find-version-of-run',
  `select version_id as "versionId" from workflow_runs where id = $2::uuid and workspace_id = $1::uuid`,
);
