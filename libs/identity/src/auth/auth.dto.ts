import { z } from 'zod';
import { emailAddress } from '../users/sign-up.dto';
import { type UserView, userView } from '../users/users.dto';
import type { StartedSession } from '../sessions/sessions.service';

/** Rules for new passwords do not apply here: an answer to a short password would say that it cannot be right. */
export const signInBody = z
  .strictObject({
    email: emailAddress,
    password: z.string().min(1, 'must not be empty').max(128, 'must have at most 128 characters'),
    rememberMe: z.boolean().default(false).describe('Stay signed in for 30 days instead of 7.'),
  })
  .meta({ id: 'SignIn' });

/** The answer to signing up and in. Browsers get the token as a cookie as well. */
export const signedIn = z
  .object({
    user: userView,
    token: z.string().describe('Send it as `Authorization: Bearer`. It is stored nowhere.'),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'SignedIn' });

export type SignedIn = Readonly<z.output<typeof signedIn>>;

export function toSignedIn(user: UserView, { token, expiresAt }: StartedSession): SignedIn {
  return { user, token, expiresAt: expiresAt.toISOString() };
}
