import { statement } from '#platform';

/** A membership of an account that is to go; of a deleted workspace, too. */
export interface ClosingRow {
  readonly id: string;
  readonly name: string;
  readonly isOwner: boolean;
  readonly isDeleted: boolean;
  readonly otherMembers: number;
}

/**
 * Purpose: everything an account belongs to, in the order of ids, and how many others are in each. What it says holds
 * once the person and the workspaces are locked, if it is asked again then. Locks: none.
 * Index: workspace_members_user_id_idx, workspaces_pkey, workspace_members_pkey. Rows: some dozens at most.
 */
export const listClosing = statement<[userId: string], ClosingRow>(
  'list-memberships-of-account',
  `select w.id, w.name, m.role = 'owner' as "isOwner", w.deleted_at is not null as "isDeleted",
          (select count(*)::integer from workspace_members o
            where o.workspace_id = w.id and o.user_id <> $1::uuid) as "otherMembers"
     from workspace_members m join workspaces w on w.id = m.workspace_id
    where m.user_id = $1::uuid
    order by w.id`,
);

/**
 * Purpose: the lock of `lock-workspace`, on a deleted workspace as well. Locks: the row. Index: workspaces_pkey.
 * Rows: one or none.
 */
export const lockAnyWorkspace = statement<[workspaceId: string], { readonly id: string }>(
  'lock-any-workspace',
  `select id from workspaces where id = $1::uuid for update`,
);

/**
 * Purpose: deletes a workspace whose owner goes: with nobody left who could restore it, its purge begins at once.
 * Locks: the row. Index: workspaces_pkey. Rows: one or none.
 */
export const deleteForGood = statement<[workspaceId: string, now: Date | null], { readonly id: string }>(
  'delete-workspace-for-good',
  `update workspaces
      set deleted_at = coalesce(deleted_at, $2::timestamptz, now()),
          purge_at = coalesce(deleted_at, $2::timestamptz, now()),
          updated_at = coalesce($2::timestamptz, now())
    where id = $1::uuid
   returning id`,
);
