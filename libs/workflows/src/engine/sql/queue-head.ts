/** How far behind the queue's head a run of low priority is put at least. */
export const LOW_BEHIND = 1_000;

/**
 * The turn that the queue is serving: the smallest that is queued, and when none is, the highest that any worker has
 * claimed. A run of low priority that has come to the front stands for a turn before its own, so that what starts now
 * still goes before it. One row, one probe of run_queue_turn_idx.
 */
export const QUEUE_HEAD = `
     select coalesce(first.turn, worker.last_turn, 0) as turn
       from (select max(last_turn) as last_turn from engine_workers) worker
       left join lateral (
         select case when priority < 0 then least(turn, greatest(turn - ${LOW_BEHIND}, worker.last_turn)) else turn end
                  as turn
           from run_queue where state = 'queued' order by run_queue.turn limit 1) first on true`;
