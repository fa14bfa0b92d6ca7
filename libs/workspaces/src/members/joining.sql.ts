import { statement } from '#platform';

/**
 * Purpose: how many seats members have and open invitations hold, but for one to a given address. A statement of its
 * own, after the lock of the workspace: else it would count what it saw before it waited.
 * Index: workspace_members_pkey, workspace_invitations_open_key. Rows: one.
 */
export const countSeatsTaken = statement<
  [workspaceId: string, exceptEmail: string | null, now: Date | null],
  { readonly members: number; readonly reserved: number }
>(
  'count-seats-taken',
  `select (select count(*)::integer from workspace_members where workspace_id = $1::uuid) as members,
          (select count(*)::integer from workspace_invitations
            where workspace_id = $1::uuid and closed_at is null and expires_at > coalesce($3::timestamptz, now())
              and lower(email) is distinct from lower($2::text)) as reserved`,
);

/** Purpose: one more member. Locks: the row. Index: workspace_members_pkey. Rows: one. */
export const insertMember = statement<[workspaceId: string, userId: string, role: string, now: Date | null]>(
  'insert-member',
  `insert into workspace_members (workspace_id, user_id, role, joined_at)
   values ($1::uuid, $2::uuid, $3::text, coalesce($4::timestamptz, now()))`,
);

/** Purpose: another role for a member. Locks: the row. Index: workspace_members_user_id_idx. Rows: one. */
export const raiseMember = statement<[workspaceId: string, userId: string, role: string]>(
  'raise-member',
  `update workspace_members set role = $3::text where workspace_id = $1::uuid and user_id = $2::uuid`,
);
