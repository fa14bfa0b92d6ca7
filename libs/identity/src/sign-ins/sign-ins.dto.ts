import { z } from 'zod';
import { pageSchema } from '#platform';
import type { SignInAttemptRow } from './sign-in-attempt.sql';

/** An attempt to sign in, as the person it was about sees it. */
export const signInAttemptView = z
  .object({
    id: z.uuid(),
    at: z.iso.datetime(),
    method: z.enum(['password', 'google', 'github']),
    outcome: z.enum(['succeeded', 'wrong_password', 'wrong_code']),
    ip: z.string().nullable(),
    userAgent: z.string().nullable(),
  })
  .meta({ id: 'SignInAttemptView' });

export type SignInAttemptView = Readonly<z.output<typeof signInAttemptView>>;

export const signInAttemptPage = pageSchema(signInAttemptView);

export function toAttemptView({ at, ...attempt }: SignInAttemptRow): SignInAttemptView {
  return { ...attempt, at: at.toISOString() };
}
