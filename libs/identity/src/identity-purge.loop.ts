import { Injectable } from '@nestjs/common';
import { Clock, Db, type LoopDuty, type LoopResult } from '#platform';
import { purgeSessions } from './sessions/session.sql';
import { purgeAttempts } from './sign-ins/sign-in-attempt.sql';
import { purgeTokens } from './tokens/user-token.sql';

const BATCH_ROWS = 1_000;

/**
 * Deletes expired sessions and tokens, which are refused the moment they expire: that is about space only. And forgets
 * attempts to sign in after 90 days.
 */
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
    const purged = [
      await this.db.executeControl(purgeSessions, BATCH_ROWS, now),
      await this.db.executeControl(purgeTokens, BATCH_ROWS, now),
      await this.db.executeControl(purgeAttempts, BATCH_ROWS, now),
    ];
    return {
      rows: purged.reduce((sum, { length }) => sum + length, 0),
      again: purged.some(({ length }) => length === BATCH_ROWS),
    };
  }
}
