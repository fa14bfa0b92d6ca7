import { z } from 'zod';
import { typedPassword } from '../users/password-rules';
import { emailAddress } from '#platform';
import { type UserView, userView } from '../users/users.dto';
import type { SignInResult } from './sign-in.service';
import type { StartedSession } from '../sessions/sessions.service';

/** What signing in takes. */
export const signInBody = z
  .strictObject({
    email: emailAddress,
    password: typedPassword,
    rememberMe: z.boolean().default(false).describe('Stay signed in for 30 days instead of 7.'),
  })
  .meta({ id: 'SignIn' });

/** The answer to signing up and in. Browsers get the token as a cookie as well. */
export const signedIn = z
  .object({
    status: z.literal('signed_in'),
    user: userView,
    token: z.string().describe('Send it as `Authorization: Bearer`. It is stored nowhere.'),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'SignedIn' });

export type SignedIn = Readonly<z.output<typeof signedIn>>;

export function toSignedIn(user: UserView, { token, expiresAt }: StartedSession): SignedIn {
  return { status: 'signed_in', user, token, expiresAt: expiresAt.toISOString() };
}

/** The answer to signing in when the account has a second factor: there is no session yet. */
const secondFactorRequired = z
  .object({
    status: z.literal('second_factor_required'),
    challenge: z.string().describe('Send it with a code to `POST /v1/auth/sign-in/second-factor`.'),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'SecondFactorRequired' });

/** The answer to signing in. */
export const signInAnswer = z
  .discriminatedUnion('status', [signedIn, secondFactorRequired])
  .meta({ id: 'SignInAnswer' });

export type SignInAnswer = Readonly<z.output<typeof signInAnswer>>;

export function toSignInAnswer(result: SignInResult): SignInAnswer {
  if (result.status === 'signed_in') return toSignedIn(result.user, result.session);
  const { token, expiresAt } = result.challenge;
  return { status: result.status, challenge: token, expiresAt: expiresAt.toISOString() };
}
