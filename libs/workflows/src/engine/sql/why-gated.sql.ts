import { statement } from '#platform';

/** A live run's place before the limits. Counts of runs ahead stop at a thousand. */
export interface GatedRow {
  readonly state: 'queued' | 'owned' | 'parked' | 'gated' | 'paused';
  readonly paused: boolean;
  readonly keyLimit: number | null;
  readonly keyHeld: boolean;
  readonly keyHolders: readonly string[];
  readonly keyAhead: number;
  readonly workflowLimit: number | null;
  readonly workflowExecuting: number;
  readonly workflowAhead: number;
  readonly workspaceLimit: number | null;
  readonly workspaceExecuting: number;
  readonly workspaceAhead: number;
}

const BEFORE = `(q.priority > r.priority or q.priority = r.priority and q.turn < r.turn)`;
const READY = `q.state = 'gated' and (q.key_hash is null or q.key_held)`;
const EXECUTING = `q.limited and q.state in ('queued', 'owned')`;

/**
 * Purpose: what keeps a run at the gate, for people. No row: it is not live. Locks: none.
 * Index: run_queue_pkey, and of the gates' indexes at most a thousand entries for each count. Rows: one.
 */
export const whyGatedRun = statement<[runId: string], GatedRow>(
  'why-gated',
  `select r.state, r.key_limit as "keyLimit", r.key_held as "keyHeld",
          exists (select from workflows w where w.id = r.workflow_id and w.paused_at is not null) as paused,
          array(select q.run_id from run_queue q where q.key_hash = r.key_hash and q.key_held limit 5)
            as "keyHolders",
          (select count(*)::integer from (
             select from run_queue q
              where q.state = 'gated' and q.key_hash is not null and not q.key_held
                and q.workspace_id = r.workspace_id and q.key_hash = r.key_hash and ${BEFORE} limit 1000) a) as "keyAhead",
          g.concurrent_runs_per_workflow as "workflowLimit",
          (select count(*)::integer from run_queue q
            where ${EXECUTING} and q.workspace_id = r.workspace_id and q.workflow_id = r.workflow_id) as "workflowExecuting",
          (select count(*)::integer from (
             select from run_queue q
              where ${READY} and q.workspace_id = r.workspace_id and q.workflow_id = r.workflow_id and ${BEFORE}
              limit 1000) a) as "workflowAhead",
          g.concurrent_runs as "workspaceLimit",
          (select count(*)::integer from run_queue q
            where ${EXECUTING} and q.workspace_id = r.workspace_id) as "workspaceExecuting",
          (select count(*)::integer from (
             select from run_queue q where ${READY} and q.workspace_id = r.workspace_id and ${BEFORE} limit 1000) a)
            as "workspaceAhead"
     from run_queue r
     left join workspace_gates g on g.workspace_id = r.workspace_id and r.limited
    where r.run_id = $1::uuid`,
);
