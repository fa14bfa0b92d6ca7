/**
 * The turn that the queue is serving: the smallest that is queued, and when none is, the highest that any worker has
 * claimed. One row, one probe of run_queue_turn_idx.
 */
export const QUEUE_HEAD = `
     select coalesce(
       (select turn from run_queue where state = 'queued' order by turn limit 1),
       (select max(last_turn) from engine_workers),
       0) as turn`;
