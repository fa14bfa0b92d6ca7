import { Injectable } from '@nestjs/common';
import {
  AppError,
  Clock,
  Config,
  Db,
  Mail,
  publicUrlOf,
  RateLimiter,
  type RateStanding,
  type Tx,
} from '#platform';
import { identityErrors } from '../errors';
import { limitSubject, mailLimits } from '../limits';
import { Sessions } from '../sessions/sessions.service';
import { UserTokens } from '../tokens/user-tokens.service';
import { PasswordHasher } from '../users/password-hasher';
import { refuseAddressAsPassword } from '../users/password-rules';
import { findAddressee, lockUser, type UserRow } from '../users/user.sql';
import { proveEmail } from '../verification/prove-email.sql';
import { passwordChangedMail, resetMail } from './password-mails';
import type { ResetPassword } from './passwords.dto';
import { Passwords } from './passwords.service';

const LIFETIME_MINUTES = 30;

/** Lets people choose a new password by a mail to their address: the mailbox is the proof. */
@Injectable()
export class PasswordReset {
  constructor(
    private readonly db: Db,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly tokens: UserTokens,
    private readonly hasher: PasswordHasher,
    private readonly passwords: Passwords,
    private readonly sessions: Sessions,
    private readonly limiter: RateLimiter,
    private readonly mail: Mail,
  ) {}

  /**
   * Mails a token to an address that has an account. For one that has none the same transaction is committed, with the
   * same take from the address's budget in it; token and mail are all that is missing.
   */
  async ask(email: string): Promise<RateStanding> {
    return this.db.control(async (tx) => {
      const standing = await this.limiter.take(mailLimits.reset, limitSubject(email), tx);
      if (!standing.taken) return standing;
      const [user] = await tx.query(findAddressee, email);
      if (user) await this.#send(tx, user);
      return standing;
    });
  }

  /**
   * Sets the password, once for each token. All sessions end, the address is verified (its mailbox had the token), and
   * whatever else was mailed or begun is taken back. Throws identity.reset_invalid for a token that is unknown, used or
   * expired.
   */
  async reset({ token, password }: ResetPassword): Promise<void> {
    const found = await this.tokens.find('reset_password', token);
    if (!found) throw invalidToken();
    const passwordHash = await this.hasher.hash(password);
    await this.db.control(async (tx) => {
      const [user] = await tx.query(lockUser, found.userId);
      const used = await this.tokens.use(tx, 'reset_password', token);
      if (!user || !used) throw invalidToken();
      refuseAddressAsPassword(user.email, password, '/password');
      await this.passwords.set(tx, user, passwordHash);
      await tx.query(proveEmail, user.id, user.email, this.clock.pinned());
      await this.sessions.endAll(tx, user.id, null);
      await this.mail.enqueue(tx, passwordChangedMail(user, 'All your sessions were ended.'));
    });
  }

  async #send(tx: Tx, user: UserRow): Promise<void> {
    const { token } = await this.tokens.issue(tx, {
      userId: user.id,
      purpose: 'reset_password',
      lifetimeMinutes: LIFETIME_MINUTES,
    });
    await this.mail.enqueue(tx, resetMail(user, `${publicUrlOf(this.config)}/reset-password?token=${token}`));
  }
}

function invalidToken(): AppError {
  return new AppError(identityErrors.reset_invalid, {
    detail: 'This link to reset a password is not known, was used already, or is older than 30 minutes.',
    problems: [{ pointer: '/token', code: 'invalid', message: 'is not known, used already, or expired' }],
  });
}
