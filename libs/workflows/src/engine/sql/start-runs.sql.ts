import { statement } from '#platform';
import { column, joined } from './columns';

/** A run about to be created. `input` is the trigger's output as JSON text. */
export interface NewRun {
  readonly runId: string;
  readonly workspaceId: string;
  readonly workflowId: string;
  readonly versionId: string;
  readonly triggerNode: string;
  readonly triggerKind: string;
  readonly startedBy: string;
  readonly input: string;
  /** Where the run comes from, as JSON text; null when it is the first of its kind. */
  readonly origin: string | null;
}

type Params = [
  runIds: string,
  workspaceIds: string,
  workflowIds: string,
  versionIds: string,
  triggerNodes: string,
  triggerKinds: string,
  startedBy: string,
  inputs: string,
  origins: string,
  now: Date | null,
];

/**
 * Purpose: creates runs with their places in the queue. Each workspace's runs get consecutive turns that begin where
 * the queue stands now, or behind the workspace's own last turn: start-time fair queueing, so a workspace with a
 * million runs in the queue lets one with a single run go first.
 * Locks: workspace_turns rows in workspace order, after the usage counters (taken in the same order just before).
 * Index: run_queue_turn_idx (one probe). Rows: one run and one queue row each.
 */
export const startRuns = statement<Params, { readonly runId: string; readonly createdAt: Date }>(
  'start-runs',
  `with given as materialized (
     select *, row_number() over (partition by workspace_id order by position) as place
       from unnest(${column(1, 'uuid')}, ${column(2, 'uuid')}, ${column(3, 'uuid')}, ${column(4, 'uuid')},
                   ${column(5, 'text')}, ${column(6, 'text')}, ${column(7, 'text')}, ${column(8, 'json')},
                   ${column(9, 'json')})
            with ordinality as u (run_id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind,
                                  started_by, input, origin, position)
   ), head as materialized (
     select coalesce(
       (select turn from run_queue where state = 'queued' order by turn limit 1),
       (select max(last_turn) from engine_workers),
       0) as turn
   ), turns as (
     insert into workspace_turns as t (workspace_id, turn)
     select g.workspace_id, h.turn + count(*) from given g cross join head h
      group by g.workspace_id, h.turn order by g.workspace_id
     on conflict (workspace_id) do update
       set turn = greatest(t.turn, (select turn from head))
                  + excluded.turn - (select turn from head)
     returning workspace_id, turn
   ), queued as (
     -- A run that begins in the middle has results already, which a first claim would not look for.
     insert into run_queue (run_id, workspace_id, workflow_id, state, turn, parent_run_id, claims)
     select g.run_id, g.workspace_id, g.workflow_id, 'queued',
            t.turn - (count(*) over (partition by g.workspace_id)) + g.place,
            (g.origin -> 'parent' ->> 'runId')::uuid,
            case when g.origin ->> 'from' is null then 0 else 1 end
       from given g join turns t using (workspace_id)
   )
   insert into workflow_runs (id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by,
                              input, origin, created_at)
   select run_id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input, origin,
          coalesce($10::timestamptz, now())
     from given
   returning id as "runId", created_at as "createdAt"`,
);

/** The statement's parameters for a batch of runs. */
export function startRunsParams(runs: readonly NewRun[], now: Date | null): Params {
  return [
    joined(runs, (run) => run.runId),
    joined(runs, (run) => run.workspaceId),
    joined(runs, (run) => run.workflowId),
    joined(runs, (run) => run.versionId),
    joined(runs, (run) => run.triggerNode),
    joined(runs, (run) => run.triggerKind),
    joined(runs, (run) => run.startedBy),
    joined(runs, (run) => run.input),
    joined(runs, (run) => run.origin),
    now,
  ];
}

/**
 * Purpose: gives a run results of another one, so that it begins behind them. In the transaction that starts it.
 * Index: workflow_node_runs_pkey of the other run's partition. Rows: the nodes that are named.
 */
export const copyResults = statement<[runId: string, fromRunId: string, nodeIds: readonly string[]]>(
  'copy-results',
  `insert into workflow_node_runs (run_id, node_id, iteration, workspace_id, status, attempts, ports, output, error,
                                   started_at, finished_at)
   select $1::uuid, node_id, iteration, workspace_id, status, attempts, ports, output, error, started_at, finished_at
     from workflow_node_runs
    where run_id = $2::uuid and node_id = any ($3::text[]) and iteration = '' and status in ('succeeded', 'failed')`,
);
