import { Injectable } from '@nestjs/common';
import { Clock, Db, type Principal, type Tx } from '#platform';
import { keyHolds } from '../api-keys/api-key.sql';
import { sessionHolds } from '../sessions/session.sql';

/** Looks again at people and programs that were let in a while ago. */
@Injectable()
export class Principals {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
  ) {}

  /** Whether the session goes on, or the key may still be used. */
  async holds(principal: Principal): Promise<boolean> {
    const now = this.clock.pinned();
    const found =
      principal.kind === 'user'
        ? await this.db.executeControl(sessionHolds, principal.sessionId, now)
        : await this.db.executeControl(keyHolds, principal.apiKeyId, now);
    return found.length > 0;
  }

  /** Whether a key may still be used, as a transaction sees it that is about to change something by it. */
  async keyHolds(tx: Tx, apiKeyId: string): Promise<boolean> {
    const found = await tx.query(keyHolds, apiKeyId, this.clock.pinned());
    return found.length > 0;
  }
}
