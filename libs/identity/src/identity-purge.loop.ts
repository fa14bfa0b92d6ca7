import { Injectable } from '@nestjs/common';
import { Clock, Db, type LoopDuty, type LoopResult } from '#platform';
import { purgeSessions } from './sessions/session.sql';
import { purgeVerifications } from './verification/email-verification.sql';

const BATCH_ROWS = 1_000;

/** Deletes expired sessions and verifications. They are refused the moment they expire: this is about space only. */
@Injectable()
export class IdentityPurge implements LoopDuty {
  readonly name = 'identity-purge';
  readonly role = 'scheduler';
  readonly everyMs = 10 * 60_000;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
  ) {}

  async runOnce(): Promise<LoopResult> {
    const now = this.clock.pinned();
    const sessions = await this.db.executeControl(purgeSessions, BATCH_ROWS, now);
    const verifications = await this.db.executeControl(purgeVerifications, BATCH_ROWS, now);
    return {
      rows: sessions.length + verifications.length,
      again: sessions.length === BATCH_ROWS || verifications.length === BATCH_ROWS,
    };
  }
}
