import { z } from 'zod';
import { apiKeyView } from '../api-keys/api-keys.dto';
import { userView } from '../users/users.dto';

const userWorkspace = z.object({ id: z.uuid(), name: z.string(), slug: z.string(), role: z.string() });

/** Who the credentials of a request belong to. */
export const me = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('user'), user: userView, workspaces: z.array(userWorkspace) }),
    z.object({ kind: z.literal('api_key'), apiKey: apiKeyView }),
  ])
  .meta({ id: 'Me' });

export type Me = z.output<typeof me>;
