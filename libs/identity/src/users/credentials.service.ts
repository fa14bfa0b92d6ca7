import { Injectable } from '@nestjs/common';
import { AppError, type Client, Db } from '#platform';
import { identityErrors } from '../errors';
import { SignInAttempts } from '../sign-ins/sign-in-attempts.service';
import { findUserByEmail } from './find-user-by-email.sql';
import { PasswordHasher } from './password-hasher';
import { findPasswordHash } from './user.sql';

/** Whose password was right, and the hash it was right for: a password that is changed meanwhile counts no more. */
export interface CheckedUser {
  readonly userId: string;
  readonly passwordHash: string;
}

/** Checks passwords. How often they may be tried is the business of the routes' limits, which come before. */
@Injectable()
export class Credentials {
  constructor(
    private readonly db: Db,
    private readonly hasher: PasswordHasher,
    private readonly attempts: SignInAttempts,
  ) {}

  /**
   * Whose e-mail address and password these are; null for an unknown address as for a wrong password, of which there
   * is a record then. Each way costs one lookup, one check of a hash and one record, so that the time of the answer
   * does not say which it was.
   */
  async check(email: string, password: string, client: Client): Promise<CheckedUser | null> {
    const [account] = await this.db.executeControl(findUserByEmail, email);
    const passwordHash = account?.passwordHash ?? (await this.hasher.decoy());
    const matches = await this.hasher.verify(passwordHash, password);
    if (matches && account?.passwordHash) return { userId: account.id, passwordHash };
    await this.db.control((tx) =>
      this.attempts.record(tx, {
        userId: account?.id ?? null,
        method: 'password',
        outcome: 'wrong_password',
        client,
      }),
    );
    return null;
  }

  /**
   * Checks the password of somebody who is signed in, before what a stolen session must not do. Whoever acts on it
   * compares the hash again under a lock. Throws identity.wrong_password and identity.no_password.
   */
  async confirm(userId: string, password: string, pointer: `/${string}`): Promise<CheckedUser> {
    const [account] = await this.db.executeControl(findPasswordHash, userId);
    if (!account?.passwordHash) throw noPassword();
    const { passwordHash } = account;
    if (!(await this.hasher.verify(passwordHash, password))) throw wrongPassword(pointer);
    return { userId, passwordHash };
  }
}

/** The refusal of a password that is not, or not any more, that of whoever is signed in. */
export function wrongPassword(pointer: `/${string}`): AppError {
  return new AppError(identityErrors.wrong_password, {
    detail: 'This is not your password. Ask for a mail to reset it if you do not know it.',
    problems: [{ pointer, code: 'wrong', message: 'is not your password' }],
  });
}

function noPassword(): AppError {
  return new AppError(identityErrors.no_password, {
    detail:
      'Your account has no password yet, and this needs one. Ask for a mail to reset it (POST /v1/auth/forgot-password).',
  });
}
