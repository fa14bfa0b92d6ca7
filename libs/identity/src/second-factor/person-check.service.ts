import { Injectable } from '@nestjs/common';
import { AppError, Clock, Db, platformErrors, type Tx, type UserPrincipal } from '#platform';
import { identityErrors } from '../errors';
import { Credentials, wrongPassword } from '../users/credentials.service';
import { findPasswordHash, holdChecked, type UserRow } from '../users/user.sql';
import { sessionIsFresh } from './second-factor.sql';

const FRESH_MINUTES = 15;

/** What a person was checked by: the hash their password was right for, null when they have none. */
export interface CheckedPerson {
  readonly userId: string;
  readonly passwordHash: string | null;
}

/**
 * Makes sure that it is the person who asks and not merely somebody with their session: by the password, or, for people
 * who have none, by a session that began within 15 minutes, since they sign in elsewhere. How often a password may be
 * tried is the business of the routes' limits.
 */
@Injectable()
export class PersonCheck {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly credentials: Credentials,
  ) {}

  /** Throws identity.wrong_password and identity.session_not_fresh. */
  async require({ userId, sessionId }: UserPrincipal, password: string | undefined): Promise<CheckedPerson> {
    const [account] = await this.db.executeControl(findPasswordHash, userId);
    if (account?.passwordHash) return this.credentials.confirm(userId, password ?? '', '/password');
    await this.#requireFresh(sessionId);
    return { userId, passwordHash: null };
  }

  /** Holds a person until the transaction ends. Throws identity.wrong_password when the password has changed meanwhile. */
  async hold(tx: Tx, { userId, passwordHash }: CheckedPerson): Promise<UserRow> {
    const [user] = await tx.query(holdChecked, userId, passwordHash);
    if (user) return user;
    if (passwordHash !== null) throw wrongPassword('/password');
    throw new AppError(platformErrors.unauthenticated, { detail: 'This account does not exist any more.' });
  }

  async #requireFresh(sessionId: string): Promise<void> {
    const now = this.clock.pinned();
    const [fresh] = await this.db.executeControl(sessionIsFresh, sessionId, FRESH_MINUTES, now);
    if (fresh) return;
    throw new AppError(identityErrors.session_not_fresh, {
      detail: `You have no password here, so this is done within ${FRESH_MINUTES} minutes of signing in. Sign in again.`,
    });
  }
}
