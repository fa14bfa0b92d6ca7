import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock, Db, type LoopDuty, type LoopResult, Loops } from '#platform';
import { purgeDeliveries } from './hook-deliveries.sql';
import { purgeReplays } from './hook-replays.sql';
import { purgeSecrets } from './hook-secrets.sql';

const BATCH = 2_000;
/** What says of a row itself when it may go, found by an index. */
const PURGES = [purgeReplays, purgeDeliveries, purgeSecrets] as const;

/** Forgets signatures that cannot be sent again any more, deliveries past their days, and secrets that have ended. */
@Injectable()
export class InboxPurger implements LoopDuty, OnModuleInit {
  readonly name = 'hook-inbox-purger';
  readonly role = 'scheduler';
  readonly everyMs = 60_000;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly loops: Loops,
  ) {}

  onModuleInit(): void {
    this.loops.add(this);
  }

  async runOnce(): Promise<LoopResult> {
    let [most, rows] = [0, 0];
    for (const { id } of await this.db.cells.list()) {
      for (const purge of PURGES) {
        const gone = await this.db.execute<[Date | null, number], unknown>(
          id,
          purge,
          this.clock.pinned(),
          BATCH,
        );
        most = Math.max(most, gone.length);
        rows += gone.length;
      }
    }
    return { rows, again: most === BATCH };
  }
}
