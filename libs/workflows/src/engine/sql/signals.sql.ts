import { statement } from '#platform';
import type { JsonValue } from '../../definition/json';

/** What has come for a node of a run. */
export interface Signal {
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
  readonly message: JsonValue;
}

/** A message as it was kept. One that is read twice is known by when that was: a node has one at a time. */
export interface KeptSignal extends Signal {
  /** As PostgreSQL writes it. */
  readonly keptAt: string;
}

/**
 * Purpose: keeps a message for a node until the run has taken it. No row: one has come before, and the first counts.
 * Called after lock-live-run in the same transaction, which then calls signal-run.
 * Locks: the new row. Index: run_signals_pkey. Rows: one.
 */
export const insertSignal = statement<
  [runId: string, nodeId: string, iteration: string, workspaceId: string, message: string],
  { readonly runId: string }
>(
  'insert-signal',
  `insert into run_signals (run_id, node_id, iteration, workspace_id, message, delivered)
   values ($1::uuid, $2, $3, $4::uuid, $5::json, true)
   on conflict do nothing
   returning run_id as "runId"`,
);

/** Purpose: takes back a message that this transaction has kept. Index: run_signals_pkey. Rows: one. */
export const withdrawSignal = statement<[runId: string, nodeId: string, iteration: string]>(
  'withdraw-signal',
  `delete from run_signals where run_id = $1::uuid and node_id = $2 and iteration = $3`,
);

/**
 * Purpose: the attempt about which a node waits for a person's decision. It has to be asked after insert-signal, in a
 * statement of its own: the message of an earlier decision is deleted together with the node's wait, so whoever could
 * keep one sees here that the node has gone on. Index: workflow_node_runs_pkey. Rows: one; none when it does not wait.
 */
export const waitsForDecision = statement<
  [runId: string, nodeId: string, iteration: string],
  { readonly attempt: number }
>(
  'waits-for-decision',
  `select attempts as attempt from workflow_node_runs
    where run_id = $1::uuid and node_id = $2 and iteration = $3
      and status = 'waiting' and state ->> 'kind' = 'decision'`,
);

/**
 * Purpose: whether a node is over, and waits for no message any more. It has to be asked after insert-signal, in a statement
 * of its own, as above. Index: workflow_node_runs_pkey. Rows: one; none while the node has still to wait.
 */
export const isSettled = statement<
  [runId: string, nodeId: string, iteration: string],
  { readonly nodeId: string }
>(
  'is-settled',
  `select node_id as "nodeId" from workflow_node_runs
    where run_id = $1::uuid and node_id = $2 and iteration = $3 and status not in ('waiting', 'running')`,
);

/**
 * What becomes of a run for which something has come: one that sleeps is woken, by way of the gate when its plan limits
 * it; one in hand is marked.
 */
const WOKEN = `signaled = true, signal_count = q.signal_count + 1,
            state = case when q.state not in ('parked', 'undecided') then q.state
                         when q.limited then 'gated' else 'queued' end,
            resume_at = null`;

/** Purpose: makes sure that somebody looks at the run's messages. Locks: the queue row. Index: run_queue_pkey. */
export const signalRun = statement<[runId: string]>(
  'signal-run',
  `update run_queue q set ${WOKEN} where q.run_id = $1::uuid`,
);

/**
 * Purpose: tells the queue of messages that checkpoints have left. A run that is not live has nobody to tell.
 * Locks: the messages, skipping those that another process is at; then queue rows, in the order of their runs.
 * Index: run_signals_undelivered_idx, run_queue_pkey. Rows: at most $1.
 */
export const deliverSignals = statement<
  [limit: number],
  {
    readonly runId: string;
    readonly worker: string | null;
    readonly workspaceId: string;
    readonly state: string;
  }
>(
  'deliver-signals',
  `with due as materialized (
     select ctid as at, run_id from run_signals where not delivered
      order by created_at limit $1 for update skip locked
   ), told as materialized (
     select run_id from run_queue where run_id in (select run_id from due) order by run_id for update
   ), marked as (
     update run_signals set delivered = true where ctid = any (array(select at from due))
   )
   update run_queue q set ${WOKEN} from told where q.run_id = told.run_id
   returning q.run_id as "runId", q.worker_id as worker, q.workspace_id as "workspaceId", q.state`,
);

/** Purpose: what has come for these runs. Index: run_signals_pkey. Rows: a few per run. */
export const loadSignals = statement<[runIds: readonly string[]], KeptSignal>(
  'load-signals',
  `select run_id as "runId", node_id as "nodeId", iteration, message, created_at::text as "keptAt"
     from run_signals where run_id = any ($1::uuid[])`,
);

/**
 * Purpose: which of my runs somebody wants something of: to be canceled, or to look at its messages. The mark of the
 * messages is taken away before they are read, so that one which comes meanwhile is marked anew.
 * Locks: my queue rows that are marked. Index: run_queue_attention_idx.
 */
export const takeAttention = statement<
  [workerId: string],
  {
    readonly runId: string;
    readonly cancel: boolean;
    readonly signaled: boolean;
    readonly signalCount: number;
  }
>(
  'take-attention',
  `with mine as materialized (
     select run_id, signaled from run_queue
      where worker_id = $1::uuid and (cancel_requested_at is not null or signaled) for update
   )
   update run_queue q set signaled = false from mine
    where q.run_id = mine.run_id
   returning q.run_id as "runId", q.cancel_requested_at is not null as cancel, mine.signaled,
             q.signal_count as "signalCount"`,
);

/**
 * What becomes of a run that is to stop: whoever claims it ends it without executing anything, so it need not wait at a
 * gate.
 */
const STOPPED = `cancel_requested_at = coalesce($1::timestamptz, now()), resume_at = null,
          state = case when q.state = 'owned' then 'owned' else 'queued' end`;

/** A run that is to stop, and who has it. */
export interface StoppedRun {
  readonly runId: string;
  readonly worker: string | null;
}

/**
 * Purpose: asks runs to stop that were called by runs which are over.
 * Locks: the queue rows of those runs. Index: run_queue_parent_run_id_idx. Rows: the calls that are still under way.
 */
export const cancelChildren = statement<[now: Date | null, parentIds: readonly string[]], StoppedRun>(
  'cancel-children',
  `update run_queue q set ${STOPPED}
    where q.parent_run_id = any ($2::uuid[]) and q.cancel_requested_at is null
   returning q.run_id as "runId", q.worker_id as worker`,
);

/**
 * Purpose: the same for callers of which nobody said so: the sweep.
 * Locks: the queue rows of such runs, skipping locked ones. Index: run_queue_parent_run_id_idx, run_queue_pkey; it looks
 * at each live run that was called. Rows: at most $2.
 */
export const cancelOrphans = statement<[now: Date | null, limit: number], StoppedRun>(
  'cancel-orphans',
  `with orphans as materialized (
     select c.run_id from run_queue c
      where c.parent_run_id is not null and c.cancel_requested_at is null
        and not exists (select from run_queue p where p.run_id = c.parent_run_id)
      limit $2 for update skip locked
   )
   update run_queue q set ${STOPPED} from orphans o where q.run_id = o.run_id
   returning q.run_id as "runId", q.worker_id as worker`,
);

/** Purpose: forgets messages of runs that are not live. Index: run_signals_created_at_idx. Rows: at most $2. */
export const purgeSignals = statement<[now: Date | null, limit: number], { readonly runId: string }>(
  'purge-signals',
  `delete from run_signals where ctid = any (array(
     select o.ctid from run_signals o
      where o.delivered and o.created_at < coalesce($1::timestamptz, now()) - interval '1 hour'
        and (select q.run_id from run_queue q where q.run_id = o.run_id) is null
      order by o.created_at limit $2 for update skip locked))
   returning run_id as "runId"`,
);
