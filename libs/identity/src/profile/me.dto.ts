import { z } from 'zod';
import { apiKeyView } from '../api-keys/api-keys.dto';
import { oneLine } from '../one-line';
import { userView } from '../users/users.dto';

const userWorkspace = z.object({ id: z.uuid(), name: z.string(), slug: z.string(), role: z.string() });

/** The terms in force and what became of them. Who has not accepted them may go on; a dashboard asks. */
export const termsView = z
  .object({
    current: z.string().describe('The version in force.'),
    acceptedAt: z.iso.datetime().nullable().describe('When you accepted this version; null: not yet.'),
  })
  .meta({ id: 'TermsView' });

export type TermsView = Readonly<z.output<typeof termsView>>;

/** Who the credentials of a request belong to. */
export const me = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('user'),
      user: userView,
      terms: termsView,
      workspaces: z.array(userWorkspace),
    }),
    z.object({ kind: z.literal('api_key'), apiKey: apiKeyView }),
  ])
  .meta({ id: 'Me' });

export type Me = z.output<typeof me>;

export const updateMeBody = z.strictObject({ name: oneLine(100) }).meta({ id: 'UpdateMe' });

export const acceptTermsBody = z
  .strictObject({ version: z.string().min(1).max(20).describe('The version in force.') })
  .meta({ id: 'AcceptTerms' });
