import { Injectable } from '@nestjs/common';
import { type Client, Db, RateLimiter, type Tx } from '#platform';
import { limitSubject, routeLimits } from '../limits';
import { SecondFactors } from '../second-factor/second-factors.service';
import { Sessions, type StartedSession } from '../sessions/sessions.service';
import type { SignInMethod } from '../sign-ins/sign-in-attempt.sql';
import { SignInAttempts } from '../sign-ins/sign-in-attempts.service';
import { type IssuedToken, UserTokens } from '../tokens/user-tokens.service';
import { holdChecked, type UserRow } from '../users/user.sql';
import { toUserView, type UserView } from '../users/users.dto';
import { badCredentials } from './bad-credentials';

const CHALLENGE_MINUTES = 10;

/** How somebody signs in, and for how long. */
export interface SignInWish {
  readonly method: SignInMethod;
  readonly remember: boolean;
  readonly client: Client;
}

/** Somebody whose credentials have been checked, and how they want to be signed in. */
export interface CheckedSignIn extends SignInWish {
  readonly userId: string;
  /** The hash their password was right for; null when it was not a password that proved who they are. */
  readonly passwordHash: string | null;
}

/** A sign-in that ended well. */
export interface SignInEnd {
  readonly user: UserView;
  readonly session: StartedSession;
}

/** Signed in, or waiting for a code: the challenge says whose. */
export type SignInResult =
  | ({ readonly status: 'signed_in' } & SignInEnd)
  | { readonly status: 'second_factor_required'; readonly challenge: IssuedToken };

/** Begins a session for someone whose credentials have been checked, or asks for their second factor. */
@Injectable()
export class SignIn {
  constructor(
    private readonly db: Db,
    private readonly attempts: SignInAttempts,
    private readonly limiter: RateLimiter,
    private readonly sessions: Sessions,
    private readonly secondFactors: SecondFactors,
    private readonly tokens: UserTokens,
  ) {}

  /** Throws identity.bad_credentials when the account went away, or its password changed, since the check. */
  signIn(checked: CheckedSignIn): Promise<SignInResult> {
    return this.db.control((tx) => this.begin(tx, checked));
  }

  /** The same within a transaction. */
  async begin(tx: Tx, checked: CheckedSignIn): Promise<SignInResult> {
    const { userId, passwordHash, remember, method } = checked;
    const user = await this.hold(tx, userId, passwordHash);
    if (passwordHash !== null) await this.limiter.restore(routeLimits.signIn, limitSubject(user.email), tx);
    if (!(await this.secondFactors.isEnabled(tx, userId))) {
      return { status: 'signed_in', ...(await this.end(tx, user, checked)) };
    }
    const challenge = await this.tokens.issue(tx, {
      userId,
      purpose: 'second_factor',
      lifetimeMinutes: CHALLENGE_MINUTES,
      context: { remember, method },
    });
    return { status: 'second_factor_required', challenge };
  }

  /** Holds a person until the transaction ends, before anything of theirs: whoever changes the password waits. */
  async hold(tx: Tx, userId: string, passwordHash: string | null): Promise<UserRow> {
    const [user] = await tx.query(holdChecked, userId, passwordHash);
    if (!user) throw badCredentials();
    return user;
  }

  /** Everything has been checked, and the person is held: records the sign-in and begins the session. */
  async end(tx: Tx, user: UserRow, { method, remember, client }: SignInWish): Promise<SignInEnd> {
    await this.attempts.record(tx, { userId: user.id, method, outcome: 'succeeded', client });
    const session = await this.sessions.start(tx, { userId: user.id, remember, client });
    return { user: toUserView(user), session };
  }
}
