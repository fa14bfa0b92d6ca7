import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock, Db, type LoopDuty, type LoopResult, Loops } from '#platform';
import { purgeBlocks } from './block-events.sql';

const BATCH = 1_000;
const KEPT_DAYS = 30;

/** Forgets what was refused after thirty days. */
@Injectable()
export class BlockEventPurger implements LoopDuty, OnModuleInit {
  readonly name = 'egress-block-purger';
  readonly role = 'scheduler';
  readonly everyMs = 3600_000;

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
    let rows = 0;
    for (const { id } of await this.db.cells.list()) {
      const gone = await this.db.execute(id, purgeBlocks, this.clock.pinned(), KEPT_DAYS, BATCH);
      most = Math.max(most, gone.length);
      rows += gone.length;
    }
    return { rows, again: most === BATCH };
  }
}
