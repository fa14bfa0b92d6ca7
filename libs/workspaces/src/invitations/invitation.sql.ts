import { statement } from '#platform';

/** What has become of an invitation. It follows from the times of its row, so no loop need keep it true. */
export const invitationStates = ['pending', 'accepted', 'declined', 'revoked', 'expired'] as const;
export type InvitationState = (typeof invitationStates)[number];

/** An invitation as its workspace sees it. The token is in the mail alone. */
export interface InvitationRow {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly state: InvitationState;
  readonly invitedBy: string | null;
  readonly createdAt: Date;
  readonly sentAt: Date;
  readonly expiresAt: Date;
  readonly acceptedAt: Date | null;
  readonly acceptedBy: string | null;
  readonly declinedAt: Date | null;
  readonly revokedAt: Date | null;
}

/** The state at an instant, as SQL over a row `i`. Acceptance, decline and revocation count for good, also later. */
export function stateAt(instant: string): string {
  return `case when i.accepted_at is not null then 'accepted' when i.declined_at is not null then 'declined'
               when i.revoked_at is not null then 'revoked' when i.expires_at <= ${instant} then 'expired'
               else 'pending' end`;
}

function columnsAt(instant: string): string {
  return `i.id, i.email, i.role, ${stateAt(instant)} as state, i.invited_by as "invitedBy",
          i.created_at as "createdAt", i.sent_at as "sentAt", i.expires_at as "expiresAt",
          i.accepted_at as "acceptedAt", i.accepted_by as "acceptedBy", i.declined_at as "declinedAt",
          i.revoked_at as "revokedAt"`;
}

/**
 * Purpose: a new invitation. Locks: waits for an uncommitted one to the same address.
 * Index: workspace_invitations_open_key, workspace_invitations_token_hash_key. Rows: one.
 */
export const insertInvitation = statement<
  [
    id: string,
    workspaceId: string,
    email: string,
    role: string,
    tokenHash: Buffer,
    invitedBy: string | null,
    expiresInDays: number,
    now: Date | null,
  ],
  InvitationRow
>(
  'insert-invitation',
  `insert into workspace_invitations as i
     (id, workspace_id, email, role, token_hash, invited_by, created_at, sent_at, expires_at)
   select $1::uuid, $2::uuid, $3::text, $4::text, $5::bytea, $6::uuid, t.at, t.at, t.at + make_interval(days => $7::int)
     from (select coalesce($8::timestamptz, now()) as at) t
   returning ${columnsAt('i.created_at')}`,
);

/**
 * Purpose: makes room for another invitation to an address: the open one is revoked, one that has expired is closed.
 * Locks: the row. Index: workspace_invitations_open_key. Rows: one or none.
 */
export const closeOpenInvitation = statement<
  [workspaceId: string, email: string, now: Date | null],
  { readonly id: string; readonly role: string; readonly wasPending: boolean }
>(
  'close-open-invitation',
  `update workspace_invitations i
      set closed_at = t.at, revoked_at = case when i.expires_at > t.at then t.at end
     from (select coalesce($3::timestamptz, now()) as at) t
    where i.workspace_id = $1::uuid and lower(i.email) = lower($2::text) and i.closed_at is null
   returning i.id, i.role, i.revoked_at is not null as "wasPending"`,
);

/**
 * Purpose: how many invitations are open, how many were made in the last 24 hours, and when the first of those is
 * older. After the lock of the workspace, and a statement of its own, or it would count what it saw before it waited.
 * Index: workspace_invitations_open_key, workspace_invitations_created_at_idx. Rows: one.
 */
export const countInvitations = statement<
  [workspaceId: string, now: Date | null],
  { readonly open: number; readonly lastDay: number; readonly nextInSeconds: number | null }
>(
  'count-invitations',
  `select (select count(*)::integer from workspace_invitations
            where workspace_id = $1::uuid and closed_at is null and expires_at > coalesce($2::timestamptz, now())) as open,
          count(*)::integer as "lastDay",
          ceil(extract(epoch from min(created_at) + interval '24 hours' - coalesce($2::timestamptz, now())))::float8
            as "nextInSeconds"
     from workspace_invitations
    where workspace_id = $1::uuid and created_at > coalesce($2::timestamptz, now()) - interval '24 hours'`,
);

/**
 * Purpose: the invitations of a workspace, newest first, of one state or of all.
 * Locks: none. Index: workspace_invitations_workspace_id_idx. Rows: at most the limit.
 */
export const listInvitations = statement<
  [workspaceId: string, beforeId: string | null, state: string | null, limit: number, now: Date | null],
  InvitationRow
>(
  'list-invitations',
  `select ${columnsAt('coalesce($5::timestamptz, now())')} from workspace_invitations i
    where i.workspace_id = $1::uuid and i.id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
      and ($3::text is null or ${stateAt('coalesce($5::timestamptz, now())')} = $3::text)
    order by i.id desc
    limit $4::integer`,
);

/** Purpose: one invitation of a workspace. Locks: none. Index: workspace_invitations_workspace_id_idx. Rows: one or none. */
export const findInvitation = statement<[workspaceId: string, id: string, now: Date | null], InvitationRow>(
  'find-invitation',
  `select ${columnsAt('coalesce($3::timestamptz, now())')} from workspace_invitations i
    where i.workspace_id = $1::uuid and i.id = $2::uuid`,
);

/**
 * Purpose: another token and as much time as before for an invitation that is open; the former token is worth nothing
 * from here on. Zero rows: it is not open, or not of this workspace.
 * Locks: the row. Index: workspace_invitations_workspace_id_idx. Rows: one or none.
 */
export const renewInvitation = statement<
  [workspaceId: string, id: string, tokenHash: Buffer, now: Date | null],
  InvitationRow
>(
  'renew-invitation',
  `update workspace_invitations i
      set token_hash = $3::bytea, sent_at = t.at,
          expires_at = least(t.at + (i.expires_at - i.sent_at), t.at + interval '60 days')
     from (select coalesce($4::timestamptz, now()) as at) t
    where i.workspace_id = $1::uuid and i.id = $2::uuid and i.closed_at is null and i.expires_at > t.at
   returning ${columnsAt('t.at')}`,
);

/**
 * Purpose: takes an open invitation back. The workspace is part of the condition: an administrator of one revokes
 * nothing of another. Zero rows: it is not open, or not of this workspace.
 * Locks: the row. Index: workspace_invitations_workspace_id_idx. Rows: one or none.
 */
export const revokeInvitation = statement<[workspaceId: string, id: string, now: Date | null], InvitationRow>(
  'revoke-invitation',
  `update workspace_invitations i set revoked_at = t.at, closed_at = t.at
     from (select coalesce($3::timestamptz, now()) as at) t
    where i.workspace_id = $1::uuid and i.id = $2::uuid and i.closed_at is null and i.expires_at > t.at
   returning ${columnsAt('t.at')}`,
);

/**
 * Purpose: an open invitation is accepted. Zero rows: it is not open.
 * Locks: the row. Index: workspace_invitations_pkey. Rows: one or none.
 */
export const acceptInvitation = statement<
  [id: string, userId: string, now: Date | null],
  { readonly id: string }
>(
  'accept-invitation',
  `update workspace_invitations i set accepted_at = t.at, accepted_by = $2::uuid, closed_at = t.at
     from (select coalesce($3::timestamptz, now()) as at) t
    where i.id = $1::uuid and i.closed_at is null and i.expires_at > t.at
   returning i.id`,
);

/**
 * Purpose: an open invitation is declined. Zero rows: it is not open.
 * Locks: the row. Index: workspace_invitations_pkey. Rows: one or none.
 */
export const declineInvitation = statement<[id: string, now: Date | null], { readonly id: string }>(
  'decline-invitation',
  `update workspace_invitations i set declined_at = t.at, closed_at = t.at
     from (select coalesce($2::timestamptz, now()) as at) t
    where i.id = $1::uuid and i.closed_at is null and i.expires_at > t.at
   returning i.id`,
);

/**
 * Purpose: takes back what a person has invited to a workspace and nobody has answered; what has expired is closed.
 * Locks: the rows. Index: workspace_invitations_open_key. Rows: at most as many as may be open, and expired ones.
 */
export const withdrawInvitations = statement<
  [workspaceId: string, invitedBy: string, now: Date | null],
  { readonly id: string; readonly email: string; readonly role: string; readonly wasPending: boolean }
>(
  'withdraw-invitations',
  `update workspace_invitations i
      set closed_at = t.at, revoked_at = case when i.expires_at > t.at then t.at end
     from (select coalesce($3::timestamptz, now()) as at) t
    where i.workspace_id = $1::uuid and i.invited_by = $2::uuid and i.closed_at is null
   returning i.id, i.email, i.role, i.revoked_at is not null as "wasPending"`,
);

/** An open invitation as the invited sees it. */
export interface MyInvitationRow {
  readonly id: string;
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly role: string;
  readonly invitedBy: string | null;
  readonly sentAt: Date;
  readonly expiresAt: Date;
}

/**
 * Purpose: the open invitations to an address, in whatever workspace, newest first.
 * Locks: none. Index: workspace_invitations_email_idx, workspaces_pkey. Rows: at most the limit.
 */
export const listInvitationsTo = statement<
  [email: string, beforeId: string | null, limit: number, now: Date | null],
  MyInvitationRow
>(
  'list-invitations-to-address',
  `select i.id, i.workspace_id as "workspaceId", w.name as "workspaceName", i.role, i.invited_by as "invitedBy",
          i.sent_at as "sentAt", i.expires_at as "expiresAt"
     from workspace_invitations i join workspaces w on w.id = i.workspace_id
    where lower(i.email) = lower($1::text) and i.closed_at is null
      and i.expires_at > coalesce($4::timestamptz, now()) and w.deleted_at is null
      and i.id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    order by i.id desc
    limit $3::integer`,
);

/**
 * Purpose: takes expired invitations out of the indexes of open ones, a batch at a time; two at once share the work.
 * An array, not `in`: the planner does not know the limit and would join, reading the whole table.
 * Locks: the rows, skipping locked ones. Index: workspace_invitations_expires_at_idx, workspace_invitations_pkey.
 * Rows: up to the limit.
 */
export const closeExpiredInvitations = statement<[limit: number, now: Date | null], { readonly id: string }>(
  'close-expired-invitations',
  `update workspace_invitations set closed_at = coalesce($2::timestamptz, now())
    where id = any (array(
      select id from workspace_invitations
       where closed_at is null and expires_at <= coalesce($2::timestamptz, now())
       order by expires_at limit $1::int for update skip locked))
   returning id`,
);
