import { statement } from '#platform';

/**
 * Purpose: what a person is in a live workspace; asked on each request, so a removed member is out at once.
 * Locks: none. Index: workspace_members_pkey, workspaces_pkey. Rows: one or none.
 */
export const findRole = statement<[workspaceId: string, userId: string], { readonly role: string }>(
  'find-role-in-workspace',
  `select m.role from workspace_members m join workspaces w on w.id = m.workspace_id
    where m.workspace_id = $1::uuid and m.user_id = $2::uuid and w.deleted_at is null`,
);

/**
 * Purpose: what a person is in a live workspace, until the transaction ends: whoever takes the role away waits, and then
 * finds what was done by it. Locks: the membership, shared. Index: workspace_members_pkey. Rows: one or none.
 */
export const holdRole = statement<[workspaceId: string, userId: string], { readonly role: string }>(
  'hold-role-in-workspace',
  `select m.role from workspace_members m join workspaces w on w.id = m.workspace_id
    where m.workspace_id = $1::uuid and m.user_id = $2::uuid and w.deleted_at is null
      for share of m`,
);

/** Purpose: whether a workspace is live, for API keys. Locks: none. Index: workspaces_pkey. Rows: one or none. */
export const findLiveWorkspace = statement<[workspaceId: string], { readonly id: string }>(
  'find-live-workspace',
  `select id from workspaces where id = $1::uuid and deleted_at is null`,
);

/** Half of the key of the advisory locks below, so that no other use of such locks meets them. */
const MEMBERSHIPS_OF_USER = 0x6d656d; // "mem"

/**
 * Purpose: lets the transactions that give one person a further membership take turns until they end. Two people whose
 * ids hash alike wait for each other needlessly, nothing worse. Locks: an advisory one. Rows: none.
 */
export const lockMembershipsOf = statement<[userId: string], unknown>(
  'lock-memberships-of-user',
  `select pg_advisory_xact_lock(${MEMBERSHIPS_OF_USER}, hashtext($1::text))`,
);

/**
 * Purpose: how many live workspaces a person owns and belongs to. A deleted one counts for its members, who have no say
 * in whether it comes back, and not for its owner, who is counted again when it does. It must be a statement of its
 * own, after the lock: a statement that both locks and counts would count what it saw before it waited.
 * Index: workspace_members_user_id_idx, workspaces_pkey. Rows: one.
 */
export const countMembershipsOf = statement<
  [userId: string],
  { readonly owned: number; readonly joined: number }
>(
  'count-memberships-of-user',
  `select count(*) filter (where m.role = 'owner')::integer as owned, count(*)::integer as joined
     from workspace_members m join workspaces w on w.id = m.workspace_id
    where m.user_id = $1::uuid and (w.deleted_at is null or m.role <> 'owner')`,
);

/** Purpose: the first member of a new workspace. Index: workspace_members_pkey. Rows: one. */
export const insertOwner = statement<[workspaceId: string, userId: string, now: Date | null]>(
  'insert-workspace-owner',
  `insert into workspace_members (workspace_id, user_id, role, joined_at)
   values ($1::uuid, $2::uuid, 'owner', coalesce($3::timestamptz, now()))`,
);
