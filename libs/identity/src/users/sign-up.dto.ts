import { z } from 'zod';
import { emailAddress } from '#platform';
import { oneLine } from '../one-line';
import { newPassword, passwordIsNotAddress } from './password-rules';

/** Strict: provider, role, plan and verified are not the client's to choose, so a body that names them is refused. */
export const signUpBody = z
  .strictObject({
    email: emailAddress,
    password: newPassword,
    name: oneLine(100).optional(),
    acceptTerms: z.string().min(1).max(20).describe('The version of the terms in force, which you accept.'),
    workspaceName: oneLine(80).optional(),
    invitation: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe(
        'The token of an invitation or an invite link: what follows /i/ in it. You join its workspace at once.',
      ),
  })
  .refine(passwordIsNotAddress.check, passwordIsNotAddress.params)
  .meta({ id: 'SignUp' });

export type SignUpInput = z.output<typeof signUpBody>;
