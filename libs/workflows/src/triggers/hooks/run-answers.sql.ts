import { statement } from '#platform';

/**
 * Purpose: whether a run is over, and what its first respond node has said. Zero rows: no such run. Locks: none.
 * Index: workflow_runs_workspace_id_id_idx, workflow_run_events_pkey, workflow_node_runs_pkey, in one partition of each
 * class. Rows: one.
 */
export const findRunAnswer = statement<
  [workspaceId: string, runId: string],
  { readonly outcome: 'succeeded' | 'failed' | 'canceled' | null; readonly answer: unknown }
>(
  'find-run-answer',
  `select r.outcome, n.output as answer
     from workflow_runs r
     left join lateral (
       select v ->> 'nodeId' as node_id
         from workflow_run_events e cross join lateral json_array_elements(e.events) v
        where e.run_id = r.id and e.retention_days = r.retention_days and v ->> 'type' = 'run.responded'
        order by e.first_seq limit 1) responded on true
     left join lateral (
       select output from workflow_node_runs d
        where d.run_id = r.id and d.retention_days = r.retention_days and d.node_id = responded.node_id
          and d.status = 'succeeded'
        order by d.finished_at, d.iteration limit 1) n on true
    where r.id = $2::uuid and r.workspace_id = $1::uuid`,
);
