import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock, Db, type LoopDuty, type LoopResult, Loops } from '#platform';
import { purgeFires } from './schedules.sql';

const BATCH = 5_000;
/** As long as anybody asks what a schedule has done; its runs are kept by the plan. */
const FIRES_KEPT_DAYS = 90;

/** Forgets what became of occurrences after ninety days. None of them can come up again: a schedule only moves forward. */
@Injectable()
export class FirePurger implements LoopDuty, OnModuleInit {
  readonly name = 'schedule-fire-purger';
  readonly role = 'scheduler';
  readonly everyMs = 10 * 60_000;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly loops: Loops,
  ) {}

  onModuleInit(): void {
    this.loops.add(this);
  }

  async runOnce(): Promise<LoopResult> {
    let most = 0;
    for (const { id } of await this.db.cells.list()) {
      const purged = await this.db.execute(id, purgeFires, this.clock.pinned(), FIRES_KEPT_DAYS, BATCH);
      most = Math.max(most, purged.length);
    }
    return { rows: most, again: most === BATCH };
  }
}
