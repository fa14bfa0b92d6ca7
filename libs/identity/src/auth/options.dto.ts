import { z } from 'zod';

/** What a page for signing up and in must know before anybody has an account. */
export const authOptions = z
  .object({
    signupMode: z.enum(['open', 'invite', 'waitlist']),
    termsVersion: z.string(),
    passwordRules: z.object({ minLength: z.int(), maxLength: z.int(), mayBeEmail: z.boolean() }),
    providers: z.array(z.enum(['google', 'github'])),
  })
  .meta({ id: 'AuthOptions' });

export type AuthOptions = Readonly<z.output<typeof authOptions>>;
