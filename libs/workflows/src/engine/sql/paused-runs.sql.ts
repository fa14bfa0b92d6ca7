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
 * Purpose: puts a batch of paused runs of a workflow that goes on back into the queue, in their order; not before where
 * the queue stands, see let-through. Locks: the rows, skipping locked ones. Index: run_queue_paused_idx, run_queue_pkey.
 * Rows: at most $2.
 */
export const resumeRuns = statement<[workflowId: string, limit: number], { readonly runId: string }>(
  'resume-runs',
  `with chosen as materialized (
     select run_id from run_queue
      where state = 'paused' and workflow_id = $1::uuid
        and not exists (select from workflows w where w.id = $1::uuid and w.paused_at is not null)
      order by turn limit $2::integer for update skip locked
   ), head as materialized (${QUEUE_HEAD}
   )
   update run_queue q
      set state = 'queued',
          turn = greatest(q.turn, (select turn from head) + array_position(array(select run_id from chosen), q.run_id))
    where q.run_id = any (array(select run_id from chosen)) and q.state = 'paused'
   returning q.run_id as "runId"`,
);
