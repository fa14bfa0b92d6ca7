import { z } from 'zod';
import { emailAddress, pageQuery } from '#platform';
import { roles } from '../members/role';
import type { MemberName } from '../ports';
import { type InvitationRow, invitationStates } from './invitation.sql';

/** Roles that can be given away: a workspace has one owner, who is not invited. */
export const invitedRole = z.enum(['admin', 'member', 'viewer']);

/** How long an invitation or a link is good for. */
export const expiresInDays = z
  .number()
  .int()
  .min(1)
  .max(60)
  .optional()
  .describe('Without it, as many days as the settings of the workspace say.');

export const newInvitation = z
  .strictObject({
    email: emailAddress,
    role: invitedRole,
    expiresInDays,
  })
  .meta({ id: 'NewInvitation' });

export type NewInvitation = z.output<typeof newInvitation>;

export const invitationsQuery = pageQuery.extend({ state: z.enum(invitationStates).optional() });

/** Where a page of invitations, or of links, went on from. */
export const invitationsCursor = z.strictObject({ id: z.uuid() });

/** An invitation as the administrators of its workspace see it. What opens it is in the mail alone. */
export const invitationView = z
  .object({
    id: z.uuid(),
    email: z.string(),
    role: z.enum(roles),
    state: z.enum(invitationStates),
    invitedBy: z.uuid().nullable().describe('Null when an API key invited.'),
    invitedByName: z.string().nullable(),
    createdAt: z.iso.datetime(),
    sentAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    acceptedAt: z.iso.datetime().nullable(),
    acceptedBy: z.uuid().nullable(),
    declinedAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'InvitationView' });

export interface InvitationView {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly state: string;
  readonly invitedBy: string | null;
  readonly invitedByName: string | null;
  readonly createdAt: string;
  readonly sentAt: string;
  readonly expiresAt: string;
  readonly acceptedAt: string | null;
  readonly acceptedBy: string | null;
  readonly declinedAt: string | null;
  readonly revokedAt: string | null;
}

export function toInvitationView(
  row: InvitationRow,
  names: ReadonlyMap<string, Pick<MemberName, 'name'>>,
): InvitationView {
  return {
    id: row.id,
    email: row.email,
    role: row.role,
    state: row.state,
    invitedBy: row.invitedBy,
    invitedByName: names.get(row.invitedBy ?? '')?.name ?? null,
    createdAt: row.createdAt.toISOString(),
    sentAt: row.sentAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    acceptedAt: row.acceptedAt?.toISOString() ?? null,
    acceptedBy: row.acceptedBy,
    declinedAt: row.declinedAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
  };
}
