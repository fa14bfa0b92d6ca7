import { statement } from '#platform';
import { type InvitationState, stateAt } from './invitation.sql';
import { type InviteLinkState, linkStateAt } from './invite-link.sql';

interface OfferFacts {
  readonly id: string;
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly role: string;
  /** Null when a program made it. */
  readonly invitedBy: string | null;
  readonly expiresAt: Date;
}

/** What somebody may follow into a workspace: an invitation to one address, or a link for whom it is shared with. */
export type OfferRow =
  | (OfferFacts & {
      readonly kind: 'invitation';
      readonly state: InvitationState;
      readonly email: string;
      readonly acceptedBy: string | null;
    })
  | (OfferFacts & {
      readonly kind: 'link';
      readonly state: InviteLinkState;
      readonly allowedDomains: readonly string[];
    });

const invitation = (instant: string) =>
  `select 'invitation' as kind, i.id, i.workspace_id as "workspaceId", w.name as "workspaceName", i.role,
          i.invited_by as "invitedBy", i.expires_at as "expiresAt", ${stateAt(instant)} as state, i.email,
          i.accepted_by as "acceptedBy", null::text[] as "allowedDomains"
     from workspace_invitations i join workspaces w on w.id = i.workspace_id
    where w.deleted_at is null`;

const link = (instant: string) =>
  `select 'link', l.id, l.workspace_id, w.name, l.role, l.created_by, l.expires_at, ${linkStateAt(instant)}, null, null,
          l.allowed_domains
     from workspace_invite_links l join workspaces w on w.id = l.workspace_id
    where w.deleted_at is null`;

/**
 * Purpose: what a token offers, in whatever state; nothing of a deleted workspace. Locks: none.
 * Index: workspace_invitations_token_hash_key, workspace_invite_links_token_hash_key, workspaces_pkey.
 * Rows: one or none.
 */
export const findOffer = statement<[tokenHash: Buffer, now: Date | null], OfferRow>(
  'find-offer',
  `${invitation('coalesce($2::timestamptz, now())')} and i.token_hash = $1::bytea
    union all
   ${link('coalesce($2::timestamptz, now())')} and l.token_hash = $1::bytea`,
);

/**
 * Purpose: the same for an invitation by its id. Locks: none. Index: workspace_invitations_pkey, workspaces_pkey.
 * Rows: one or none.
 */
export const findOfferById = statement<[invitationId: string, now: Date | null], OfferRow>(
  'find-offer-by-id',
  `${invitation('coalesce($2::timestamptz, now())')} and i.id = $1::uuid`,
);
