import { Injectable } from '@nestjs/common';
import {
  AppError,
  Clock,
  Config,
  Db,
  Mail,
  onViolation,
  publicUrlOf,
  RateLimiter,
  type RateStanding,
  type Tx,
} from '#platform';
import { identityErrors } from '../errors';
import { limitSubject, mailLimits } from '../limits';
import { UserTokens } from '../tokens/user-tokens.service';
import { findAddressee, lockUser } from '../users/user.sql';
import { emailTaken } from '../users/users.repository';
import { proveEmail } from './prove-email.sql';
import { addressChangedMail, newAddressMail, verificationMail } from './verification-mail';

const LIFETIME_MINUTES = 24 * 60;

/** Whose address is to be proven, and which one it is. */
export interface Addressee {
  readonly id: string;
  readonly email: string;
  readonly name: string;
}

/** Proves that an address belongs to whoever claims it: by a token that only its mailbox has seen. */
@Injectable()
export class EmailVerification {
  constructor(
    private readonly db: Db,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly tokens: UserTokens,
    private readonly limiter: RateLimiter,
    private readonly mail: Mail,
  ) {}

  /** Issues a token and enqueues its mail, in the transaction of whatever made the address unproven. */
  async send(tx: Tx, user: Addressee): Promise<void> {
    const link = await this.#linkFor(tx, user);
    await this.mail.enqueue(tx, verificationMail({ to: user.email, name: user.name, link }));
  }

  /** The same for an address that takes the place of the present one when it is proven. */
  async sendForChange(tx: Tx, user: Addressee): Promise<void> {
    const link = await this.#linkFor(tx, user);
    await this.mail.enqueue(tx, newAddressMail({ to: user.email, name: user.name, link }));
  }

  /**
   * Sends the mail again to an address that has an account and is not verified. In every other case the same transaction
   * is committed, with the same take from the address's budget in it.
   */
  async resend(email: string): Promise<RateStanding> {
    return this.db.control(async (tx) => {
      const standing = await this.limiter.take(mailLimits.verification, limitSubject(email), tx);
      if (!standing.taken) return standing;
      const [user] = await tx.query(findAddressee, email);
      if (user?.emailVerifiedAt === null) await this.send(tx, user);
      return standing;
    });
  }

  /**
   * Uses a token, once; returns the address that is verified now. When it is another one than before, whatever was
   * mailed to the old one comes to nothing, and the old one is told. Throws identity.verification_invalid for a token
   * that is unknown, used or expired (which of them it is, is nobody's business but the mailbox's), and
   * identity.email_taken when another account has taken the address meanwhile.
   */
  async verify(token: string): Promise<string> {
    const found = await this.tokens.find('verify_email', token);
    if (!found) throw invalidToken();
    return this.db.control(async (tx) => {
      const [user] = await tx.query(lockUser, found.userId);
      const used = await this.tokens.use(tx, 'verify_email', token);
      if (!user || !used?.email) throw invalidToken();
      const { email } = used;
      await onViolation({ users_lower_email_key: () => emailTaken(email) }, () =>
        tx.query(proveEmail, user.id, email, this.clock.pinned()),
      );
      if (limitSubject(user.email) !== limitSubject(email)) await this.#leave(tx, user, email);
      return email;
    });
  }

  async #linkFor(tx: Tx, { id, email }: Addressee): Promise<string> {
    const { token } = await this.tokens.issue(tx, {
      userId: id,
      purpose: 'verify_email',
      lifetimeMinutes: LIFETIME_MINUTES,
      email,
    });
    return `${publicUrlOf(this.config)}/verify-email?token=${token}`;
  }

  async #leave(tx: Tx, old: Addressee, newEmail: string): Promise<void> {
    await this.tokens.withdrawAll(tx, old.id, newEmail);
    await this.mail.enqueue(tx, addressChangedMail({ to: old.email, name: old.name, newEmail }));
  }
}

function invalidToken(): AppError {
  return new AppError(identityErrors.verification_invalid, {
    detail: 'This verification link is not known, was used already, or is older than 24 hours.',
    problems: [{ pointer: '/token', code: 'invalid', message: 'is not known, used already, or expired' }],
  });
}
