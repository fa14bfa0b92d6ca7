import { Injectable } from '@nestjs/common';
import { Clock, Db, Mail, RateLimiter, type Tx, type UserPrincipal } from '#platform';
import { limitSubject, routeLimits } from '../limits';
import { Sessions } from '../sessions/sessions.service';
import { UserTokens } from '../tokens/user-tokens.service';
import { Credentials, wrongPassword } from '../users/credentials.service';
import { PasswordHasher } from '../users/password-hasher';
import { refuseAddressAsPassword } from '../users/password-rules';
import { lockUser, setPassword } from '../users/user.sql';
import { passwordChangedMail } from './password-mails';
import type { ChangePassword } from './passwords.dto';

/** Whose password it is, as locked in the transaction that sets it. */
interface PasswordOwner {
  readonly id: string;
  readonly email: string;
  readonly name: string;
}

/** Gives accounts new passwords, with all that follows from it. */
@Injectable()
export class Passwords {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly credentials: Credentials,
    private readonly hasher: PasswordHasher,
    private readonly tokens: UserTokens,
    private readonly sessions: Sessions,
    private readonly limiter: RateLimiter,
    private readonly mail: Mail,
  ) {}

  /**
   * Changes the password of somebody who knows the present one, and ends all their other sessions. Of two who change the
   * same one at once, one wins. Throws identity.wrong_password and identity.no_password.
   */
  async change(actor: UserPrincipal, { currentPassword, newPassword }: ChangePassword): Promise<void> {
    const checked = await this.credentials.confirm(actor.userId, currentPassword, '/currentPassword');
    const passwordHash = await this.hasher.hash(newPassword);
    await this.db.control(async (tx) => {
      const [user] = await tx.query(lockUser, actor.userId);
      if (user?.passwordHash !== checked.passwordHash) throw wrongPassword('/currentPassword');
      refuseAddressAsPassword(user.email, newPassword, '/newPassword');
      await this.set(tx, user, passwordHash);
      await this.sessions.endAll(tx, user.id, actor.sessionId);
      await this.mail.enqueue(tx, passwordChangedMail(user, 'All your other sessions were ended.'));
    });
  }

  /**
   * Sets a password in the transaction that has locked its owner, and takes back what was begun under the old one: pending
   * second factors, links of other mails, a lock on signing in. Tokens go before sessions do, so that a sign-in that is
   * just using one either fails or has its session ended. Ending sessions and the notice are left to the caller.
   */
  async set(tx: Tx, user: PasswordOwner, passwordHash: string): Promise<void> {
    await tx.query(setPassword, user.id, passwordHash, this.clock.pinned());
    await this.tokens.withdrawAll(tx, user.id, user.email);
    await this.limiter.restore(routeLimits.signIn, limitSubject(user.email), tx);
  }
}
