import { statement } from '#platform';
import { QUEUE_HEAD } from './queue-head';

/**
 * Purpose: the next workflows, in the order of their ids, that have paused runs and are not paused any more.
 * Locks: none. Index: run_queue_paused_idx, workflows_pkey; a probe of each per workflow. Rows: at most $2.
 */
export const listPaused = statement<
  [after: string | null, limit: number],
  { readonly workflowId: string; readonly resumed: boolean }
>(
  'list-workflows-with-paused-runs',
  `with recursive each as (
     (select q.workflow_id from run_queue q
       where q.state = 'paused' and q.workflow_id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
       order by q.workflow_id limit 1)
     union all
     select next.workflow_id from each
      cross join lateral (
        select q.workflow_id from run_queue q where q.state = 'paused' and q.workflow_id > each.workflow_id
         order by q.workflow_id limit 1) next
   )
   select e.workflow_id as "workflowId",
          not exists (select from workflows w where w.id = e.workflow_id and w.paused_at is not null) as resumed
     from (select workflow_id from each limit $2::integer) e`,
);

/**
 * Purpose: lets those who bring back the runs of one workspace take turns until they end, as its starts do; see
 * lock-gates for why it is a statement of its own. Locks: the workspace's turns. Index: workflows_pkey,
 * workspace_turns_pkey. Rows: one.
 */
export const lockTurnsOf = statement<[workflowId: string], { readonly workspaceId: string }>(
  'lock-turns-of-workflow',
  `select workspace_id as "workspaceId" from workspace_turns
    where workspace_id = (select workspace_id from workflows where id = $1::uuid) for update`,
);

/**
 * Purpose: puts a batch of paused runs of a workflow that goes on back into the queue, in their order, with turns as if
 * they were started now: the turns they had would be served before everyone who has waited meanwhile.
 * Called after lock-turns-of-workflow. Locks: the rows; one that is being canceled is waited for.
 * Index: run_queue_paused_idx, run_queue_pkey. Rows: at most $2.
 */
export const resumeRuns = statement<[workflowId: string, limit: number], { readonly runId: string }>(
  'resume-runs',
  `with chosen as materialized (
     select run_id from run_queue
      where state = 'paused' and workflow_id = $1::uuid
        and not exists (select from workflows w where w.id = $1::uuid and w.paused_at is not null)
      order by turn limit $2::integer
   ), head as materialized (${QUEUE_HEAD}
   ), turns as (
     update workspace_turns t
        set turn = greatest(t.turn, (select turn from head)) + (select count(*) from chosen)
      where t.workspace_id = (select workspace_id from workflows where id = $1::uuid)
     returning t.turn - (select count(*) from chosen) as before
   )
   update run_queue q
      set state = 'queued',
          turn = (select before from turns) + array_position(array(select run_id from chosen), q.run_id)
    where q.run_id = any (array(select run_id from chosen)) and q.state = 'paused'
   returning q.run_id as "runId"`,
);
