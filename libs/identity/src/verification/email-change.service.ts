import { Injectable } from '@nestjs/common';
import { Db, Mail, RateLimiter, type RateStanding, type UserPrincipal } from '#platform';
import { limitSubject, mailLimits } from '../limits';
import { Credentials, wrongPassword } from '../users/credentials.service';
import { findUserByEmail } from '../users/find-user-by-email.sql';
import { lockUser } from '../users/user.sql';
import { EmailVerification } from './email-verification.service';
import type { ChangeEmail } from './verification.dto';
import { addressInUseMail } from './verification-mail';

/** Moves accounts to other addresses: asked for here, done when the new mailbox has proven itself. */
@Injectable()
export class EmailChange {
  constructor(
    private readonly db: Db,
    private readonly credentials: Credentials,
    private readonly verification: EmailVerification,
    private readonly limiter: RateLimiter,
    private readonly mail: Mail,
  ) {}

  /**
   * Mails a token to the new address. One that has an account is mailed a note instead: who asks learns nothing of other
   * people's accounts, and who owns it knows what to do. Throws identity.wrong_password and identity.no_password.
   */
  async ask(actor: UserPrincipal, { email, password }: ChangeEmail): Promise<RateStanding> {
    const checked = await this.credentials.confirm(actor.userId, password, '/password');
    return this.db.control(async (tx) => {
      const standing = await this.limiter.take(mailLimits.emailChange, limitSubject(email), tx);
      if (!standing.taken) return standing;
      const [user] = await tx.query(lockUser, actor.userId);
      if (user?.passwordHash !== checked.passwordHash) throw wrongPassword('/password');
      const [owner] = await tx.query(findUserByEmail, email);
      if (owner && owner.id !== user.id) await this.mail.enqueue(tx, addressInUseMail(email));
      else await this.verification.sendForChange(tx, { id: user.id, email, name: user.name });
      return standing;
    });
  }
}
