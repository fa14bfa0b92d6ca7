import { z } from 'zod';
import { localPath } from '../local-path';

const flag = z
  .enum(['true', 'false'], 'must be true or false')
  .default('false')
  .transform((value) => value === 'true');

/** What a browser may ask for when it sets out to a provider. */
export const oauthStartQuery = z.object({
  acceptTerms: z
    .string()
    .min(1)
    .max(20)
    .optional()
    .describe('The version of the terms that a new account accepts.'),
  remember: flag.describe('Stay signed in for 30 days instead of 7.'),
  invitation: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('The token of an invitation, for a new account.'),
  redirectTo: localPath.default('/').describe('Where to go afterwards: a path of this site.'),
  link: flag.describe('Link the provider to the account you are signed in to.'),
});

const userIdentity = z
  .object({ provider: z.enum(['google', 'github']), email: z.string(), createdAt: z.iso.datetime() })
  .meta({ id: 'UserIdentity' });

export const userIdentities = z.object({ data: z.array(userIdentity) }).meta({ id: 'UserIdentities' });

export const providerParam = z.enum(['google', 'github']);
