import { statement } from '#platform';

/** A membership as statements give it. */
export interface MemberRow {
  readonly role: string;
  readonly joinedAt: Date;
}

/**
 * Purpose: what a person is in a workspace, asked after `lock-workspace`, under which nobody changes it.
 * Locks: none. Index: workspace_members_pkey. Rows: one or none.
 */
export const findMember = statement<[workspaceId: string, userId: string], MemberRow>(
  'find-member',
  `select role, joined_at as "joinedAt" from workspace_members
    where workspace_id = $1::uuid and user_id = $2::uuid`,
);

/**
 * Purpose: gives a member another role. Zero rows: there is no such member, or it is the owner, whom only a transfer
 * changes. Locks: the row. Index: workspace_members_pkey. Rows: one or none.
 */
export const changeRole = statement<[workspaceId: string, userId: string, role: string], MemberRow>(
  'change-member-role',
  `update workspace_members set role = $3::text
    where workspace_id = $1::uuid and user_id = $2::uuid and role <> 'owner'
   returning role, joined_at as "joinedAt"`,
);

/**
 * Purpose: ends a membership. Zero rows: there is none, or it is the owner's. Locks: the row.
 * Index: workspace_members_pkey. Rows: one or none.
 */
export const removeMember = statement<[workspaceId: string, userId: string], { readonly role: string }>(
  'remove-member',
  `delete from workspace_members
    where workspace_id = $1::uuid and user_id = $2::uuid and role <> 'owner'
   returning role`,
);

/**
 * Purpose: the first half of a transfer: whoever owns the workspace is an admin from now on. The index that allows one
 * owner is looked at row by row, so the old one goes first. Locks: the row. Index: workspace_members_pkey. Rows: one.
 */
export const demoteOwner = statement<[workspaceId: string, ownerId: string], { readonly role: string }>(
  'demote-workspace-owner',
  `update workspace_members set role = 'admin'
    where workspace_id = $1::uuid and user_id = $2::uuid and role = 'owner'
   returning role`,
);

/** Purpose: the second half of a transfer. Locks: the row. Index: workspace_members_pkey. Rows: one or none. */
export const promoteToOwner = statement<[workspaceId: string, userId: string], { readonly role: string }>(
  'promote-to-workspace-owner',
  `update workspace_members set role = 'owner'
    where workspace_id = $1::uuid and user_id = $2::uuid
   returning role`,
);

/** Purpose: names the new owner in the workspace itself. Locks: the row. Index: workspaces_pkey. Rows: one or none. */
export const setOwner = statement<
  [workspaceId: string, fromUserId: string, toUserId: string, now: Date | null],
  { readonly id: string }
>(
  'set-workspace-owner',
  `update workspaces set owner_id = $3::uuid, updated_at = coalesce($4::timestamptz, now())
    where id = $1::uuid and owner_id = $2::uuid and deleted_at is null
   returning id`,
);
