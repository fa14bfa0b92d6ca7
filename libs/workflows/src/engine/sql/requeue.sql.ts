import { statement } from '#platform';
import { column } from './columns';

/** What has become of a run that failed. */
export interface HeldLetter {
  readonly runId: string;
  readonly state: 'open' | 'requeued' | 'discarded';
  readonly requeuedRunId: string | null;
}

/**
 * Purpose: holds dead letters still while runs start that take them up. Whoever else wants the same one waits here, and
 * then sees what became of it. Locks: the letters, in the order of their runs; behind start keys and before the usage
 * counters. Index: dead_letters_pkey. Rows: one per letter that is there.
 */
export const lockLetters = statement<[runIds: readonly string[]], HeldLetter>(
  'lock-dead-letters',
  `select run_id as "runId", state, requeued_run_id as "requeuedRunId"
     from dead_letters where run_id = any ($1::uuid[]) order by run_id for update`,
);

/** Purpose: notes what letters were requeued as. Locks: none but those held already. Index: dead_letters_pkey. */
export const settleLetters = statement<[runIds: string, asRunIds: string, by: string, now: Date | null]>(
  'settle-requeued-letters',
  `update dead_letters d
      set state = 'requeued', requeued_run_id = u.as_run_id, settled_by = u.settled_by,
          settled_at = coalesce($4::timestamptz, now())
     from unnest(${column(1, 'uuid')}, ${column(2, 'uuid')}, ${column(3, 'text')}) as u (run_id, as_run_id, settled_by)
    where d.run_id = u.run_id and d.state = 'open'`,
);
