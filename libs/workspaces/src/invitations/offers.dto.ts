import { z } from 'zod';
import { pageSchema } from '#platform';
import { roles } from '../members/role';
import { type InvitationState, invitationStates, type MyInvitationRow } from './invitation.sql';
import { type InviteLinkState, inviteLinkStates } from './invite-link.sql';

export const offerToken = z
  .strictObject({ token: z.string().min(1).max(200).describe('What follows /i/ in the link.') })
  .meta({ id: 'InvitationToken' });

/** What anyone who holds the link may know. */
export const offerPreview = z
  .object({
    kind: z.enum(['invitation', 'link']),
    workspaceName: z.string(),
    invitedByName: z.string().nullable(),
    role: z.enum(roles),
    state: z.enum([...invitationStates, ...inviteLinkStates]),
    expiresAt: z.iso.datetime(),
    address: z.string().nullable().describe('Whom an invitation is for, masked; null for a link.'),
    allowedDomains: z.array(z.string()).describe('Of which domains an address must be to use a link.'),
  })
  .meta({ id: 'InvitationPreview' });

export interface OfferPreview {
  readonly kind: 'invitation' | 'link';
  readonly workspaceName: string;
  readonly invitedByName: string | null;
  readonly role: string;
  readonly state: InvitationState | InviteLinkState;
  readonly expiresAt: string;
  readonly address: string | null;
  readonly allowedDomains: readonly string[];
}

/** The workspace you are a member of now, and your role in it. */
export const joinedWorkspace = z
  .object({ workspaceId: z.uuid(), workspaceName: z.string(), role: z.enum(roles) })
  .meta({ id: 'JoinedWorkspace' });

export interface JoinedWorkspace {
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly role: string;
}

/** An open invitation to your address. */
const myInvitation = z
  .object({
    id: z.uuid(),
    workspaceId: z.uuid(),
    workspaceName: z.string(),
    role: z.enum(roles),
    invitedByName: z.string().nullable(),
    sentAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'MyInvitation' });

export const myInvitationsPage = pageSchema(myInvitation);

export interface MyInvitation {
  readonly id: string;
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly role: string;
  readonly invitedByName: string | null;
  readonly sentAt: string;
  readonly expiresAt: string;
}

export function toMyInvitation(row: MyInvitationRow, invitedByName: string | null): MyInvitation {
  return {
    id: row.id,
    workspaceId: row.workspaceId,
    workspaceName: row.workspaceName,
    role: row.role,
    invitedByName,
    sentAt: row.sentAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
  };
}
