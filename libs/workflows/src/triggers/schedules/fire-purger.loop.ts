import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock, Db, type LoopDuty, type LoopResult, Loops } from '#platform';
import { purgeFires } from './schedules.sql';
import { purgeInCells } from '../../retention/purge-in-cells';

const BATCH = 5_000;
/** As long as anybody asks what a schedule has done; its runs are kept by the plan. */
const FIRES_KEPT_DAYS = 90;

/** Forgets what became of occurrences after ninety days. None of them can come up again: a schedule only moves forward. */
@Injectable()
export class FirePurger implements LoopDuty, OnModuleInit {
  readonly name = 'schedule-fire-purger.loop';
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

  runOnce(): Promise<LoopResult> {
    const now = this.clock.pinned();
    return purgeInCells(this.db, BATCH, [
      (cellId) => this.db.execute(cellId, purgeFires, now, FIRES_KEPT_DAYS, BATCH),
    ]);
  }
}
