import { z } from 'zod';
import { oneLine } from '../one-line';

/** The version of the terms in force: whoever signs up accepts this one. */
export const TERMS_VERSION = '1.0';

/** An address as people type it. 254 characters is the longest that mail can carry. */
export const emailAddress = z
  .string()
  .trim()
  .max(254, 'must have at most 254 characters')
  .pipe(z.email('must be an e-mail address, like name@example.com'));

const newPassword = z
  .string()
  .min(10, 'must have at least 10 characters')
  .max(128, 'must have at most 128 characters');

/** Strict: provider, role, plan and verified are not the client's to choose, so a body that names them is refused. */
export const signUpBody = z
  .strictObject({
    email: emailAddress,
    password: newPassword,
    name: oneLine(100).optional(),
    acceptTerms: z.literal(TERMS_VERSION, {
      error: `must be "${TERMS_VERSION}", the version of the terms that you accept`,
    }),
    workspaceName: oneLine(80).optional(),
  })
  .refine(({ email, password }) => password.trim().toLowerCase() !== email.toLowerCase(), {
    path: ['password'],
    message: 'must not be your e-mail address',
  })
  .meta({ id: 'SignUp' });

export type SignUpInput = z.output<typeof signUpBody>;
