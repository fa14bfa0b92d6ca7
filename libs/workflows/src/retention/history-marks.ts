import { type Clock, type Db, type LoopDuty, statement } from '#platform';

/** How long back a stream of a whole workspace can be taken up again. */
export const REPLAY_MINUTES = 60;

/**
 * Purpose: notes how far transactions have come by now, and forgets what lies further back than any replay. The youngest
 * of the old ones stays: it is the limit. Index: history_marks_pkey. Rows: one more; some are forgotten.
 */
const markHistory = statement<[now: Date | null], unknown>(
  'mark-history',
  `with marked as (
     insert into history_marks (at, xact)
     values (coalesce($1::timestamptz, now()), pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
     on conflict do nothing
   )
   delete from history_marks where at < (
     select max(at) from history_marks
      where at < coalesce($1::timestamptz, now()) - interval '${REPLAY_MINUTES} minutes')`,
);

/** Keeps the marks by which a stream knows what is too old to go on from. Several processes mark more often, no more. */
export function historyMarker(
  { db, clock }: { readonly db: Db; readonly clock: Clock },
  cellId: string,
): LoopDuty {
  return {
    name: `history-marks-${cellId}`,
    role: 'scheduler',
    everyMs: 60_000,
    runOnce: async () => ({ rows: (await db.execute(cellId, markHistory, clock.pinned())).length }),
  };
}
