import { z } from 'zod';
import { roles } from '../members/role';
import { type InviteLinkRow, inviteLinkStates } from './invite-link.sql';
import { expiresInDays, invitedRole } from './invitations.dto';

const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;

const domain = z
  .string()
  .trim()
  .toLowerCase()
  .max(253)
  .regex(DOMAIN, 'must be a domain, like example.com')
  .describe('Exactly this one: no domain below it.');

export const newInviteLink = z
  .strictObject({
    role: invitedRole,
    maxUses: z.number().int().min(1).max(1000).nullable().default(null),
    allowedDomains: z
      .array(domain)
      .max(20)
      .default([])
      .transform((domains): readonly string[] => [...new Set(domains)]),
    expiresInDays,
  })
  .meta({ id: 'NewInviteLink' });

export type NewInviteLink = Readonly<z.output<typeof newInviteLink>>;

/** A link as the administrators of its workspace see it. */
export const inviteLinkView = z
  .object({
    id: z.uuid(),
    role: z.enum(roles),
    state: z.enum(inviteLinkStates),
    maxUses: z.number().int().nullable().describe('Null: as many as there are seats.'),
    usedCount: z.number().int(),
    allowedDomains: z.array(z.string()).describe('Empty: any address.'),
    createdBy: z.uuid().nullable(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    revokedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'InviteLinkView' });

export interface InviteLinkView {
  readonly id: string;
  readonly role: string;
  readonly state: string;
  readonly maxUses: number | null;
  readonly usedCount: number;
  readonly allowedDomains: readonly string[];
  readonly createdBy: string | null;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly revokedAt: string | null;
}

/** The one answer that holds the link itself. */
export const createdInviteLink = z
  .object({
    inviteLink: inviteLinkView,
    url: z.string().describe('What to share. It is shown this once.'),
  })
  .meta({ id: 'CreatedInviteLink' });

export interface CreatedInviteLink {
  readonly inviteLink: InviteLinkView;
  readonly url: string;
}

export function toInviteLinkView(row: InviteLinkRow): InviteLinkView {
  return {
    id: row.id,
    role: row.role,
    state: row.state,
    maxUses: row.maxUses,
    usedCount: row.usedCount,
    allowedDomains: row.allowedDomains,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    revokedAt: row.revokedAt?.toISOString() ?? null,
  };
}
