import { Injectable } from '@nestjs/common';
import {
  AccessChanges,
  type Client,
  Clock,
  Db,
  Ids,
  type Page,
  pageOf,
  Random,
  sha256,
  type Tx,
} from '#platform';
import { isSecretToken } from '../secret-token';
import {
  endSession,
  endSessionsOf,
  findSession,
  listSessions,
  startSession,
  touchSession,
} from './session.sql';
import { type SessionView, toSessionView } from './sessions.dto';

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
    private readonly accessChanges: AccessChanges,
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

  /** A page of somebody's sessions that hold, newest first. */
  async list(
    user: FoundSession,
    { limit, before }: { readonly limit: number; readonly before: string | null },
  ): Promise<Page<SessionView>> {
    const now = this.clock.pinned();
    const rows = await this.db.executeControl(listSessions, user.userId, before, limit + 1, now);
    const { data, ...page } = pageOf(rows, limit, ({ id }) => ({ id }));
    return { data: data.map((session) => toSessionView(session, user.sessionId)), ...page };
  }

  /**
   * Ends a session of somebody: its token is worth nothing from now on, in every process, and what is open with it ends.
   * False when they have no such session.
   */
  async end(userId: string, sessionId: string): Promise<boolean> {
    return this.db.control(async (tx) => {
      const ended = await tx.query(endSession, sessionId, userId, this.clock.pinned());
      if (ended.length > 0) await this.accessChanges.announce(tx, `user:${userId}`);
      return ended.length > 0;
    });
  }

  /** Ends all sessions of somebody but the one they ask by; says how many. */
  async endOthers({ userId, sessionId }: FoundSession): Promise<number> {
    return this.db.control((tx) => this.endAll(tx, userId, sessionId));
  }

  /** Ends all sessions of somebody, but for `exceptId`, in the transaction of what made them untrustworthy. */
  async endAll(tx: Tx, userId: string, exceptId: string | null): Promise<number> {
    const ended = await tx.query(endSessionsOf, userId, exceptId);
    await this.accessChanges.announce(tx, `user:${userId}`);
    return ended.length;
  }
}
