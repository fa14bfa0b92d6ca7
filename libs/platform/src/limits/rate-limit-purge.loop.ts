import { Injectable } from '@nestjs/common';
import { Db } from '../db/db';
import type { LoopDuty, LoopResult } from '../loops/loop-duty';
import { Clock } from '../time/clock';
import { purgeBudgets } from './rate-limit.sql';

const BATCH_ROWS = 1_000;

/** Forgets the budgets of rate limits that are whole again. */
@Injectable()
export class RateLimitPurge implements LoopDuty {
  readonly name = 'rate-limit-purge';
  readonly role = 'scheduler';
  readonly everyMs = 60_000;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
  ) {}

  async runOnce(): Promise<LoopResult> {
    const { length } = await this.db.executeControl(purgeBudgets, BATCH_ROWS, this.clock.pinned());
    return { rows: length, again: length === BATCH_ROWS };
  }
}
