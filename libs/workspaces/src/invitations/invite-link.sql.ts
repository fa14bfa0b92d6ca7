import { statement } from '#platform';

/** What a link is good for. It follows from its row. */
export const inviteLinkStates = ['active', 'revoked', 'expired', 'used_up'] as const;
export type InviteLinkState = (typeof inviteLinkStates)[number];

/** An invite link as its workspace sees it. The link itself was shown once, when it was made. */
export interface InviteLinkRow {
  readonly id: string;
  readonly role: string;
  readonly state: InviteLinkState;
  readonly maxUses: number | null;
  readonly usedCount: number;
  readonly allowedDomains: readonly string[];
  readonly createdBy: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
}

/** The state at an instant, as SQL over a row `l`. */
export function linkStateAt(instant: string): string {
  return `case when l.revoked_at is not null then 'revoked' when l.expires_at <= ${instant} then 'expired'
               when l.used_count >= l.max_uses then 'used_up' else 'active' end`;
}

function columnsAt(instant: string): string {
  return `l.id, l.role, ${linkStateAt(instant)} as state, l.max_uses as "maxUses", l.used_count as "usedCount",
          l.allowed_domains as "allowedDomains", l.created_by as "createdBy", l.created_at as "createdAt",
          l.expires_at as "expiresAt", l.revoked_at as "revokedAt"`;
}

/** Purpose: a new link. Index: workspace_invite_links_pkey, workspace_invite_links_token_hash_key. Rows: one. */
export const insertInviteLink = statement<
  [
    id: string,
    workspaceId: string,
    role: string,
    tokenHash: Buffer,
    maxUses: number | null,
    allowedDomains: readonly string[],
    createdBy: string | null,
    expiresInDays: number,
    now: Date | null,
  ],
  InviteLinkRow
>(
  'insert-invite-link',
  `insert into workspace_invite_links as l
     (id, workspace_id, role, token_hash, max_uses, allowed_domains, created_by, created_at, expires_at)
   select $1::uuid, $2::uuid, $3::text, $4::bytea, $5::int, $6::text[], $7::uuid, t.at, t.at + make_interval(days => $8::int)
     from (select coalesce($9::timestamptz, now()) as at) t
   returning ${columnsAt('l.created_at')}`,
);

/**
 * Purpose: the links of a workspace, newest first. Locks: none. Index: workspace_invite_links_workspace_id_idx.
 * Rows: at most the limit.
 */
export const listInviteLinks = statement<
  [workspaceId: string, beforeId: string | null, limit: number, now: Date | null],
  InviteLinkRow
>(
  'list-invite-links',
  `select ${columnsAt('coalesce($4::timestamptz, now())')} from workspace_invite_links l
    where l.workspace_id = $1::uuid and l.id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    order by l.id desc
    limit $3::integer`,
);

/** Purpose: whether a workspace has a link. Locks: none. Index: workspace_invite_links_workspace_id_idx. Rows: one or none. */
export const findInviteLink = statement<[workspaceId: string, id: string], { readonly id: string }>(
  'find-invite-link',
  `select id from workspace_invite_links where workspace_id = $1::uuid and id = $2::uuid`,
);

/**
 * Purpose: takes a link back, once. Zero rows: revoked before, or not of this workspace.
 * Locks: the row. Index: workspace_invite_links_workspace_id_idx. Rows: one or none.
 */
export const revokeInviteLink = statement<[workspaceId: string, id: string, now: Date | null], InviteLinkRow>(
  'revoke-invite-link',
  `update workspace_invite_links l set revoked_at = t.at
     from (select coalesce($3::timestamptz, now()) as at) t
    where l.workspace_id = $1::uuid and l.id = $2::uuid and l.revoked_at is null
   returning ${columnsAt('t.at')}`,
);

/**
 * Purpose: one use of a link that is active. The condition is what keeps the count exact: zero rows say that the last
 * use was another's. Locks: the row. Index: workspace_invite_links_pkey. Rows: one or none.
 */
export const spendInviteLink = statement<[id: string, now: Date | null], { readonly usedCount: number }>(
  'use-invite-link',
  `update workspace_invite_links set used_count = used_count + 1
    where id = $1::uuid and revoked_at is null and expires_at > coalesce($2::timestamptz, now())
      and (max_uses is null or used_count < max_uses)
   returning used_count as "usedCount"`,
);

/**
 * Purpose: takes back the links that a person has made and that could still be used. Locks: the rows.
 * Index: workspace_invite_links_workspace_id_idx. Rows: a few.
 */
export const withdrawInviteLinks = statement<
  [workspaceId: string, createdBy: string, now: Date | null],
  { readonly id: string; readonly role: string }
>(
  'withdraw-invite-links',
  `update workspace_invite_links set revoked_at = coalesce($3::timestamptz, now())
    where workspace_id = $1::uuid and created_by = $2::uuid and revoked_at is null
      and expires_at > coalesce($3::timestamptz, now())
   returning id, role`,
);
