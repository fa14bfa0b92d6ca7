import { statement } from '#platform';
import { column, joined } from './columns';
import { LOW_BEHIND, QUEUE_HEAD } from './queue-head';

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
  /** Among the runs of its workspace: -1 low, 0 normal, 1 high. */
  readonly priority: -1 | 0 | 1;
  /** Whether its plan limits how many execute. */
  readonly limited: boolean;
  /** The slots it shares with other runs; null when it needs none. */
  readonly concurrency: { readonly keyHash: string; readonly limit: number } | null;
  /** Days for which the run is kept once it is finished. */
  readonly retentionDays: number;
  /** The run's labels as JSON text; null when it has none. */
  readonly labels: string | null;
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
  now: Date | null,
  priorities: string,
  limited: string,
  keyHashes: string,
  keyLimits: string,
  origins: string,
  retentionDays: string,
  labels: string,
];

/**
 * Purpose: creates runs with their places in the queue, or at the gate when something limits them. Each workspace's runs
 * get consecutive turns that begin where the queue stands now, or behind the workspace's own last turn: start-time fair
 * queueing, so a workspace with a million runs in the queue lets one with a single run go first. Each priority has turns
 * of its own: high ones are not behind the workspace's backlog, and low ones are behind it. Thus a workspace has at most
 * three runs to a turn, and only one when it calls all of them high.
 * Locks: workspace_turns rows in workspace order, after the usage counters (taken in the same order just before).
 * Index: run_queue_turn_idx (one probe). Rows: one run and one queue row each, and one for each label.
 */
export const startRuns = statement<Params, { readonly runId: string; readonly createdAt: Date }>(
  'start-runs',
  `with given as materialized (
     select *, row_number() over (partition by workspace_id, priority order by position) as place,
            count(*) over (partition by workspace_id, priority) as places
       from (select run_id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input,
                    coalesce(priority, 0) as priority, coalesce(limited, false) as limited, key_hash, key_limit,
                    origin, retention_days, labels, position
               from unnest(${column(1, 'uuid')}, ${column(2, 'uuid')}, ${column(3, 'uuid')}, ${column(4, 'uuid')},
                           ${column(5, 'text')}, ${column(6, 'text')}, ${column(7, 'text')}, ${column(8, 'json')},
                           ${column(10, 'smallint')}, ${column(11, 'boolean')}, ${column(12, 'uuid')},
                           ${column(13, 'smallint')}, ${column(14, 'json')}, ${column(15, 'smallint')},
                           ${column(16, 'json')})
                    with ordinality as u (run_id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind,
                                          started_by, input, priority, limited, key_hash, key_limit, origin,
                                          retention_days, labels, position)) u
   ), head as materialized (${QUEUE_HEAD}
   ), turns as (
     insert into workspace_turns as t (workspace_id, turn, high_turn, low_turn)
     select g.workspace_id, h.turn + count(*) filter (where priority = 0),
            h.turn + count(*) filter (where priority = 1),
            h.turn + count(*) filter (where priority = 0) + ${LOW_BEHIND} + count(*) filter (where priority = -1)
       from given g cross join head h
      group by g.workspace_id, h.turn order by g.workspace_id
     on conflict (workspace_id) do update
       set turn = greatest(t.turn, (select turn from head)) + excluded.turn - (select turn from head),
           high_turn = greatest(t.high_turn, (select turn from head)) + excluded.high_turn - (select turn from head),
           low_turn = greatest(t.low_turn, greatest(t.turn + ${LOW_BEHIND}, (select turn from head) + ${LOW_BEHIND})
                                           + excluded.turn - (select turn from head))
                      + excluded.low_turn - excluded.turn - ${LOW_BEHIND}
     returning workspace_id, turn, high_turn, low_turn
   ), queued as (
     -- A run that begins in the middle has results already, which a first claim would not look for.
     insert into run_queue (run_id, workspace_id, workflow_id, retention_days, state, turn, limited, priority, key_hash,
                            key_limit, parent_run_id, claims)
     select g.run_id, g.workspace_id, g.workflow_id, g.retention_days,
            case when g.limited or g.key_hash is not null then 'gated' else 'queued' end,
            case g.priority when 0 then t.turn when 1 then t.high_turn else t.low_turn end - g.places + g.place,
            g.limited, g.priority, g.key_hash, g.key_limit,
            (g.origin -> 'parent' ->> 'runId')::uuid,
            case when g.origin ->> 'from' is null then 0 else 1 end
       from given g join turns t using (workspace_id)
   ), labeled as (
     insert into workflow_run_labels (workspace_id, label, run_id, retention_days)
     select g.workspace_id, l.key || ':' || l.value, g.run_id, g.retention_days
       from given g cross join lateral json_each_text(g.labels) l where g.labels is not null
   )
   insert into workflow_runs (id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by,
                              input, origin, created_at, retention_days, labels)
   select run_id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input, origin,
          coalesce($9::timestamptz, now()), retention_days, labels
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
    now,
    // Most batches have nothing of these, and are spared the columns.
    rare(runs, (run) => run.priority || null),
    rare(runs, (run) => (run.limited ? 'true' : null)),
    rare(runs, (run) => run.concurrency?.keyHash ?? null),
    rare(runs, (run) => run.concurrency?.limit ?? null),
    rare(runs, (run) => run.origin),
    joined(runs, (run) => run.retentionDays),
    rare(runs, (run) => run.labels),
  ];
}

/**
 * Purpose: gives a run results of another one, so that it begins behind them. In the transaction that starts it. Their
 * times are the start of this run: it did not begin when the other one did.
 * Index: workflow_node_runs_pkey of the other run's partition. Rows: the nodes that are named.
 */
export const copyResults = statement<
  [runId: string, fromRunId: string, nodeIds: readonly string[], now: Date | null, retentionDays: number],
  { readonly nodeId: string }
>(
  'copy-results',
  `insert into workflow_node_runs (run_id, node_id, iteration, workspace_id, status, attempts, ports, output, error,
                                   started_at, finished_at, retention_days)
   select $1::uuid, node_id, iteration, workspace_id, status, attempts, ports, output, error,
          coalesce($4::timestamptz, now()), coalesce($4::timestamptz, now()), $5::smallint
     from workflow_node_runs
    where run_id = $2::uuid and node_id = any ($3::text[]) and iteration = ''
      and status in ('succeeded', 'failed', 'skipped')
   returning node_id as "nodeId"`,
);

/** A column that is empty when all of its values are null: the missing elements are nulls as well. */
function rare(runs: readonly NewRun[], valueOf: (run: NewRun) => string | number | null): string {
  return runs.some((run) => valueOf(run) !== null) ? joined(runs, valueOf) : '';
}
