import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AppError, type Client, Db } from '#platform';
import { SignIn, type SignInEnd } from '../auth/sign-in.service';
import { identityErrors } from '../errors';
import { SignInAttempts } from '../sign-ins/sign-in-attempts.service';
import { UserTokens } from '../tokens/user-tokens.service';
import { SecondFactors, wrongCode } from './second-factors.service';

/** What `SignIn` left in the token of a sign-in that waits for its code. */
const waiting = z.object({ remember: z.boolean(), method: z.enum(['password', 'google', 'github']) });

/** A code for a sign-in that waits for it. */
export interface GivenCode {
  readonly challenge: string;
  readonly code: string;
  readonly client: Client;
}

/** The second half of signing in, for people with a second factor. */
@Injectable()
export class SecondFactorSignIn {
  constructor(
    private readonly db: Db,
    private readonly tokens: UserTokens,
    private readonly factors: SecondFactors,
    private readonly attempts: SignInAttempts,
    private readonly signIns: SignIn,
  ) {}

  /**
   * Begins the session. Only a right code uses the challenge up; guesses are limited by the account, however many
   * challenges somebody gets hold of. A new password takes the challenges of the old one back. Throws
   * identity.challenge_invalid, identity.wrong_code and request.too_many.
   */
  async complete({ challenge, code, client }: GivenCode): Promise<SignInEnd> {
    const token = await this.tokens.find('second_factor', challenge);
    if (!token) throw challengeInvalid();
    const { userId } = token;
    const { remember, method } = waiting.parse(token.context);
    await this.factors.countGuess(userId);
    const end = await this.db.control(async (tx) => {
      const user = await this.signIns.hold(tx, userId, null);
      const taken = await this.factors.take(tx, userId, code);
      if (taken !== null) {
        if (!(await this.tokens.use(tx, 'second_factor', challenge))) throw challengeInvalid();
        if (taken === 'recovery_code') await this.factors.tellOfRecovery(tx, user);
        return this.signIns.end(tx, user, { remember, method, client });
      }
      await this.attempts.record(tx, { userId, method, outcome: 'wrong_code', client });
      return null;
    });
    // Thrown after the commit: the record of a wrong code stays.
    if (end === null) throw wrongCode();
    return end;
  }
}

function challengeInvalid(): AppError {
  return new AppError(identityErrors.challenge_invalid, {
    detail: 'This sign-in is not known, was completed already, or is older than 10 minutes. Sign in again.',
    problems: [{ pointer: '/challenge', code: 'invalid', message: 'is not known, used already, or expired' }],
  });
}
