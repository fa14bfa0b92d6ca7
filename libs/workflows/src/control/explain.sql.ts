import { statement } from '#platform';
import type { QueueState } from '../engine/queue-state';
import type { RunEvent } from '../engine/run-events';
import { SHOWN_STATE, type ShownState } from '../runs/read-runs.sql';

/** Where a run stands, and who has it. */
export interface StandingRow {
  readonly outcome: 'succeeded' | 'failed' | 'canceled' | null;
  readonly error: unknown;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly state: QueueState | null;
  readonly turn: string | null;
  readonly resumeAt: Date | null;
  readonly cancelRequestedAt: Date | null;
  readonly workerHost: string | null;
  readonly workerPid: number | null;
  readonly leaseUntil: Date | null;
  /** By the database's clock. */
  readonly leaseIsOver: boolean;
  /** The database's clock. */
  readonly now: Date;
}

/**
 * Purpose: where a run stands, and which worker has it. As the owner: requests see no workers. Locks: none.
 * Index: workflow_runs_pkey, run_queue_pkey, engine_workers_pkey. Rows: one or none.
 */
export const readStanding = statement<[workspaceId: string, runId: string, now: Date | null], StandingRow>(
  'read-standing-of-run',
  `select r.outcome, r.error, r.created_at as "createdAt", r.finished_at as "finishedAt",
          coalesce(r.started_at, (select min(n.started_at) from workflow_node_runs n where n.run_id = r.id)) as "startedAt",
          q.state, q.turn, q.resume_at as "resumeAt",
          q.cancel_requested_at as "cancelRequestedAt", w.host as "workerHost", w.pid as "workerPid",
          w.lease_until as "leaseUntil",
          coalesce(w.lease_until < coalesce($3::timestamptz, now()), true) as "leaseIsOver",
          coalesce($3::timestamptz, now()) as now
     from workflow_runs r
     left join lateral (select * from run_queue where run_id = r.id limit 1) q on true
     left join lateral (select * from engine_workers where id = q.worker_id limit 1) w on true
    where r.id = $2::uuid and r.workspace_id = $1::uuid`,
);

/** How many runs go before one, and how many workers live. */
export interface QueueRow {
  readonly ahead: number;
  readonly workers: number;
}

/**
 * Purpose: what goes before a queued run, counted up to a bound, and who could take it. Locks: none.
 * Index: run_queue_turn_idx. Rows: one; it reads at most $2 of the queue, and the few workers.
 */
export const readQueueBefore = statement<[turn: string, bound: number, now: Date | null], QueueRow>(
  'read-queue-before',
  `select (select count(*)::integer from (
             select from run_queue where state = 'queued' and turn < $1::bigint order by turn limit $2::integer) b) as ahead,
          (select count(*)::integer from engine_workers
            where lease_until >= coalesce($3::timestamptz, now())) as workers`,
);

/** A node of a run that is not settled. */
export interface OpenNodeRow {
  readonly nodeId: string;
  readonly iteration: string;
  readonly status: 'running' | 'waiting';
  readonly attempts: number;
  readonly state: ShownState | null;
  readonly resumeAt: Date | null;
  readonly startedAt: Date;
}

/** Purpose: what a run has begun and not ended. Locks: none. Index: workflow_node_runs_pkey. Rows: at most $2. */
export const listOpenNodes = statement<[runId: string, limit: number], OpenNodeRow>(
  'list-open-nodes',
  `select node_id as "nodeId", iteration, status, attempts, ${SHOWN_STATE} as state, resume_at as "resumeAt",
          started_at as "startedAt"
     from workflow_node_runs n where run_id = $1::uuid and status in ('running', 'waiting')
    order by resume_at nulls last, started_at, node_id, iteration limit $2::integer`,
);

/** Purpose: the last events of a run, the last checkpoint first. Locks: none. Index: workflow_run_events_pkey. Rows: at most $2. */
export const lastEvents = statement<
  [runId: string, chunks: number],
  { readonly events: readonly RunEvent[] }
>(
  'last-events-of-run',
  `select events from workflow_run_events where run_id = $1::uuid order by first_seq desc limit $2::integer`,
);
