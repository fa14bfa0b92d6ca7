import type { Clock, Db, LoopDuty } from '#platform';
import { purgeExpiredStartKeys, purgeStartKeys } from './sql/start-keys.sql';

const BATCH = 5_000;

/** Forgets start keys after a day, which is what callers may count on when they repeat a request, or after their window. */
export function startKeyPurger(db: Db, clock: Clock, cellId: string): LoopDuty {
  return {
    name: `start-key-purger-${cellId}`,
    role: 'scheduler',
    everyMs: 10 * 60_000,
    runOnce: async () => {
      const aged = await db.execute(cellId, purgeStartKeys, clock.pinned(), BATCH);
      const expired = await db.execute(cellId, purgeExpiredStartKeys, clock.pinned(), BATCH);
      return {
        rows: aged.length + expired.length,
        again: aged.length === BATCH || expired.length === BATCH,
      };
    },
  };
}
