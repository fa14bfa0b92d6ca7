import type { Clock, Db, LoopDuty } from '#platform';
import { purgeStartKeys } from './sql/start-keys.sql';

const BATCH = 5_000;

/** Forgets start keys after a day: what callers may count on when they repeat a request. */
export function startKeyPurger(db: Db, clock: Clock, cellId: string): LoopDuty {
  return {
    name: `start-key-purger-${cellId}`,
    role: 'scheduler',
    everyMs: 10 * 60_000,
    runOnce: async () => {
      const purged = await db.execute(cellId, purgeStartKeys, clock.pinned(), BATCH);
      return { rows: purged.length, again: purged.length === BATCH };
    },
  };
}
