import { z } from 'zod';

export const verifyEmailBody = z
  .strictObject({ token: z.string().min(1).max(200) })
  .meta({ id: 'VerifyEmail' });

/** The address that is verified now. */
export const verificationResult = z
  .object({ email: z.email(), emailVerified: z.literal(true) })
  .meta({ id: 'EmailVerified' });
