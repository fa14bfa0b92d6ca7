import { statement } from '#platform';
import type { AttemptEvidence, NodeState } from '../engine/node-state';
import type { QueueState } from '../engine/queue-state';
import type { RunEvent } from '../engine/run-events';

/** A run with its place in the queue, as people are shown it. */
export interface RunRow {
  readonly id: string;
  readonly workflowId: string;
  readonly versionNumber: number;
  readonly triggerNode: string;
  readonly triggerKind: string;
  readonly startedBy: string;
  readonly outcome: 'succeeded' | 'failed' | 'canceled' | null;
  readonly queueState: QueueState | null;
  readonly resumeAt: Date | null;
  readonly error: unknown;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

/** The columns of RunRow, of a run `r` with its joins. */
export const RUN_COLUMNS = `
  r.id, r.workflow_id as "workflowId", v.number as "versionNumber", r.trigger_node as "triggerNode",
  r.trigger_kind as "triggerKind", r.started_by as "startedBy", r.outcome, q.state as "queueState",
  q.resume_at as "resumeAt", r.error, r.labels, r.created_at as "createdAt",
  coalesce(r.started_at, case when q.claims > 0 then
    (select min(n.started_at) from workflow_node_runs n where n.run_id = r.id and n.retention_days = r.retention_days) end) as "startedAt",
  r.finished_at as "finishedAt"`;

/** The limits keep both a probe of a primary key under any plan: the page's size is unknown to the planner. */
export const RUN_JOINS = `
  left join lateral (select number from workflow_versions where id = r.version_id limit 1) v on true
  left join lateral (
    select state, resume_at, claims from run_queue where run_id = r.id and r.outcome is null limit 1) q on true`;

/**
 * Purpose: one run with its input and output, and whether its time is over although its table stands.
 * Index: workflow_runs_workspace_id_id_idx, in one partition of each class. Rows: one.
 */
export const findRun = statement<
  [workspaceId: string, runId: string, now: Date | null],
  RunRow & { readonly input: unknown; readonly output: unknown; readonly isExpired: boolean }
>(
  'find-run',
  `select ${RUN_COLUMNS}, r.input, r.output,
          coalesce(r.finished_at < coalesce($3::timestamptz, now()) - make_interval(days => r.retention_days), false)
            as "isExpired"
     from workflow_runs r ${RUN_JOINS}
    where r.id = $2::uuid and r.workspace_id = $1::uuid`,
);

/** A node run as people are shown it. */
export interface NodeRunRow {
  readonly nodeId: string;
  readonly iteration: string;
  readonly status: 'running' | 'waiting' | 'succeeded' | 'failed' | 'skipped' | 'canceled';
  readonly attempts: number;
  readonly ports: string;
  readonly output: unknown;
  readonly error: unknown;
  readonly resumeAt: Date | null;
  readonly state: ShownState | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}

/** What is shown of the state of a node that is not settled: never what the node keeps for itself, or a loop's items. */
export interface ShownState {
  readonly kind: NodeState['kind'];
  readonly on: 'time' | 'callback' | 'approval' | null;
  readonly runId: string | null;
  readonly error: unknown;
  readonly evidence: AttemptEvidence | null;
}

/** The parts of a node's state that are shown, as JSON; of a loop's items not even the number is read. */
export const SHOWN_STATE = `
  case when n.state is not null then json_build_object(
    'kind', n.state ->> 'kind', 'on', n.state ->> 'on', 'runId', n.state ->> 'runId',
    'error', case when n.state ->> 'kind' = 'retry' then n.state -> 'error' end,
    'evidence', case when n.state ->> 'kind' in ('attempt', 'decision') then json_build_object(
      'attempt', n.state -> 'attempt', 'startedAt', n.state -> 'startedAt', 'request', n.state -> 'request') end)
  end`;

/** The columns of NodeRunRow, from `n`. */
export const NODE_RUN_COLUMNS = `
  n.node_id as "nodeId", n.iteration, n.status, n.attempts, n.ports, n.output, n.error, n.resume_at as "resumeAt",
  ${SHOWN_STATE} as state, n.started_at as "startedAt", n.finished_at as "finishedAt"`;

/** Purpose: what the nodes of a run did. Index: workflow_node_runs_pkey. Rows: at most the graph's nodes. */
export const listNodeRuns = statement<[workspaceId: string, runId: string], NodeRunRow>(
  'list-node-runs',
  `select ${NODE_RUN_COLUMNS}
     from workflow_node_runs n where run_id = $2::uuid and workspace_id = $1::uuid
    order by started_at, finished_at nulls last, node_id, iteration`,
);

/**
 * Purpose: a run's events from a number on, in the chunks they were recorded in. The first chunk may begin earlier.
 * Index: workflow_run_events_pkey. Rows: a chunk per checkpoint, at most $4.
 */
export const readEvents = statement<
  [workspaceId: string, runId: string, afterSeq: number, chunks: number],
  { readonly firstSeq: number; readonly events: readonly RunEvent[] }
>(
  'read-events',
  `select first_seq as "firstSeq", events from workflow_run_events
    where run_id = $2::uuid and workspace_id = $1::uuid
      and first_seq >= coalesce((select max(e.first_seq) from workflow_run_events e
                                  where e.run_id = $2::uuid and e.first_seq <= $3 + 1), 0)
      and last_seq > $3
    order by first_seq limit $4`,
);

/** Purpose: whether the workspace has a workflow. Index: workflows_workspace_id_id_key. Rows: one. */
export const workflowExists = statement<
  [workspaceId: string, workflowId: string],
  { readonly archived: boolean }
>(
  'workflow-exists',
  `select archived_at is not null as archived from workflows where workspace_id = $1::uuid and id = $2::uuid`,
);
