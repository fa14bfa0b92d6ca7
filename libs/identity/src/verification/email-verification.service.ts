import { Injectable } from '@nestjs/common';
import { AppError, Clock, Config, Db, Mail, Random, sha256, type Tx } from '#platform';
import { identityErrors } from '../errors';
import { isSecretToken } from '../secret-token';
import { issueVerification, useVerification } from './email-verification.sql';
import { verificationMail } from './verification-mail';

/** Whose address is to be proven. */
export interface Addressee {
  readonly id: string;
  readonly email: string;
  readonly name: string;
}

/** Proves that an address belongs to whoever signed up with it: by a token that only its mailbox has seen. */
@Injectable()
export class EmailVerification {
  constructor(
    private readonly db: Db,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly mail: Mail,
  ) {}

  /** Issues a token and enqueues its mail, in the transaction of whatever made the address unproven. */
  async send(tx: Tx, { id, email, name }: Addressee): Promise<void> {
    const token = this.random.token();
    await tx.query(issueVerification, sha256(token), id, this.clock.pinned());
    const link = `${this.#publicUrl()}/verify-email?token=${token}`;
    await this.mail.enqueue(tx, { to: email, ...verificationMail({ name, link }) });
  }

  /**
   * Uses a token, once; returns the address that is verified now. Throws identity.verification_invalid for a token that
   * is unknown, used or expired: which of them it is, is nobody's business but the mailbox's.
   */
  async verify(token: string): Promise<string> {
    const [verified] = isSecretToken(token)
      ? await this.db.executeControl(useVerification, sha256(token), this.clock.pinned())
      : [];
    if (verified) return verified.email;
    throw new AppError(identityErrors.verification_invalid, {
      detail: 'This verification link is not known, was used already, or is older than 24 hours.',
      problems: [{ pointer: '/token', code: 'invalid', message: 'is not known, used already, or expired' }],
    });
  }

  #publicUrl(): string {
    const { publicUrl, port } = this.config.values;
    return publicUrl ?? `http://localhost:${port}`;
  }
}
