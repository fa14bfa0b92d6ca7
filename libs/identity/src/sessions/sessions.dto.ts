import { z } from 'zod';
import { pageSchema } from '#platform';
import type { ListedSessionRow } from './session.sql';

/** A place where somebody is signed in, as they see it. */
export const sessionView = z
  .object({
    id: z.uuid(),
    createdAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime().describe('To the minute.'),
    expiresAt: z.iso.datetime(),
    ip: z.string().nullable().describe('Where it began.'),
    userAgent: z.string().nullable(),
    remember: z.boolean(),
    current: z.boolean().describe('Whether this request was made with it.'),
  })
  .meta({ id: 'SessionView' });

export type SessionView = Readonly<z.output<typeof sessionView>>;

export const sessionPage = pageSchema(sessionView);

export const revokedSessions = z.object({ revoked: z.int() }).meta({ id: 'RevokedSessions' });

export function toSessionView(
  { createdAt, lastSeenAt, expiresAt, ...session }: ListedSessionRow,
  currentId: string,
): SessionView {
  return {
    ...session,
    createdAt: createdAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    current: session.id === currentId,
  };
}
