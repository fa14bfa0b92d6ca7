import { Injectable } from '@nestjs/common';
import { Db } from '../db/db';
import { statement } from '../db/statement';
import type { LoopDuty, LoopResult } from '../loops/loop-duty';
import { Clock } from '../time/clock';

const BATCH_ROWS = 1_000;

/**
 * Purpose: forgets answers older than a day. Locks: the rows it deletes; rows someone holds are left for the next
 * round. Index: idempotency_keys_created_at_idx. Rows: at most one batch.
 */
const purgeIdempotencyKeys = statement<[now: Date | null, batchRows: number], { readonly scope: string }>(
  'purge-idempotency-keys',
  `delete from idempotency_keys where ctid in (
     select ctid from idempotency_keys
      where created_at < coalesce($1::timestamptz, now()) - interval '24 hours'
      order by created_at limit $2::int for update skip locked)
   returning scope`,
);

/** Deletes what `Idempotency` stored more than 24 hours ago. */
@Injectable()
export class IdempotencyPurge implements LoopDuty {
  readonly name = 'idempotency-purge';
  readonly role = 'scheduler';
  readonly everyMs = 10 * 60_000;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
  ) {}

  async runOnce(): Promise<LoopResult> {
    const { length } = await this.db.executeControl(purgeIdempotencyKeys, this.clock.pinned(), BATCH_ROWS);
    return { rows: length, again: length === BATCH_ROWS };
  }
}
