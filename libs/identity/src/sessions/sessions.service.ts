import { Injectable } from '@nestjs/common';
import { Clock, Db, Ids, Random, sha256, type Tx } from '#platform';
import { isSecretToken } from '../secret-token';
import type { Client } from './client';
import { endSession, findSession, startSession, touchSession } from './session.sql';

const DAYS = 7;
const REMEMBERED_DAYS = 30;

/** Who signs in, and from where. */
export interface NewSession {
  readonly userId: string;
  /** Whether it is to last 30 days instead of 7. */
  readonly remember: boolean;
  readonly client: Client;
}

/** A session that has begun. The token is known here and to the client, and is stored nowhere. */
export interface StartedSession {
  readonly token: string;
  readonly expiresAt: Date;
}

/** The holder of a session's token. */
export interface FoundSession {
  readonly sessionId: string;
  readonly userId: string;
}

/** Sessions: opaque random tokens, known to the database by their hash. */
@Injectable()
export class Sessions {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly random: Random,
  ) {}

  /** Begins a session for 7 days, or 30. */
  async start(tx: Tx, { userId, remember, client }: NewSession): Promise<StartedSession> {
    const token = this.random.token();
    const [row] = await tx.query(
      startSession,
      this.ids.next(),
      userId,
      sha256(token),
      remember,
      remember ? REMEMBERED_DAYS : DAYS,
      client.ip,
      client.userAgent,
      this.clock.pinned(),
    );
    if (!row) throw new Error('The insert of a session returned no row.');
    return { token, expiresAt: row.expiresAt };
  }

  /** Who holds a token, null for one that is unknown, expired or ended. Notes at most once a minute that it was seen. */
  async find(token: string): Promise<FoundSession | null> {
    if (!isSecretToken(token)) return null;
    const now = this.clock.pinned();
    const [session] = await this.db.executeControl(findSession, sha256(token), now);
    if (!session) return null;
    if (session.seenLongAgo) await this.db.executeControl(touchSession, session.id, now);
    return { sessionId: session.id, userId: session.userId };
  }

  /** Ends a session: its token is worth nothing from now on, in every process. */
  async end(sessionId: string): Promise<void> {
    await this.db.executeControl(endSession, sessionId);
  }
}
