import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock, Db, type LoopDuty, type LoopResult, Loops } from '#platform';
import { purgeBlocks } from './block-events.sql';
import { purgeInCells } from '../retention/purge-in-cells';

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

  runOnce(): Promise<LoopResult> {
    const now = this.clock.pinned();
    return purgeInCells(this.db, BATCH, [
      (cellId) => this.db.execute(cellId, purgeBlocks, now, KEPT_DAYS, BATCH),
    ]);
  }
}
