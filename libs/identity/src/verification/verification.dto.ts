import { z } from 'zod';
import { typedPassword } from '../users/password-rules';
import { emailAddress } from '#platform';

export const verifyEmailBody = z
  .strictObject({ token: z.string().min(1).max(200) })
  .meta({ id: 'VerifyEmail' });

/** The address that is verified now. */
export const verificationResult = z
  .object({ email: z.email(), emailVerified: z.literal(true) })
  .meta({ id: 'EmailVerified' });

/** The new address, and the password that a stolen session does not have. */
export const changeEmailBody = z
  .strictObject({ email: emailAddress, password: typedPassword })
  .meta({ id: 'ChangeEmail' });

export type ChangeEmail = z.output<typeof changeEmailBody>;
