import { z } from 'zod';

const code = z.string().min(1).max(60);
const password = z
  .string()
  .min(1)
  .max(128)
  .optional()
  .describe(
    'Your present password. Without one, this is done within 15 minutes of signing in with a provider.',
  );

export const beginSecondFactorBody = z.strictObject({ password }).meta({ id: 'BeginSecondFactor' });

export const secondFactorCodeBody = z
  .strictObject({ code: code.describe('Six digits of the authenticator app, or a recovery code.') })
  .meta({ id: 'SecondFactorCode' });

export const disableSecondFactorBody = z
  .strictObject({ code: code.describe('Six digits of the authenticator app, or a recovery code.'), password })
  .meta({ id: 'DisableSecondFactor' });

export const begunSecondFactor = z
  .object({
    secret: z.string().describe('For the authenticator app, in Base32. It is not shown again.'),
    otpauthUrl: z.string().describe('The same as an address, for a QR code.'),
  })
  .meta({ id: 'BegunSecondFactor' });

export const secondFactorState = z
  .object({ enabled: z.boolean(), recoveryCodesLeft: z.number().int() })
  .meta({ id: 'SecondFactorState' });

export const recoveryCodes = z
  .object({ recoveryCodes: z.array(z.string()).describe('Each works once. They are not shown again.') })
  .meta({ id: 'RecoveryCodes' });

export const secondFactorSignInBody = z
  .strictObject({
    challenge: z.string().min(1).max(200).describe('From the answer to the sign-in.'),
    code: code.describe('Six digits of the authenticator app, or a recovery code.'),
  })
  .meta({ id: 'SecondFactorSignIn' });
