import { statement } from '#platform';
import type { WorkspaceRow } from '../workspace/workspace.sql';

/** A workspace that is deleted and can still be restored. */
export interface DeletedWorkspaceRow {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly deletedAt: Date;
  readonly purgeAt: Date;
}

const COLUMNS = `w.id, w.name, w.slug, w.deleted_at as "deletedAt", w.purge_at as "purgeAt"`;

/**
 * Purpose: deletes a workspace for everyone, and sets when it is purged. Zero rows: it is deleted already.
 * Locks: the row. Index: workspaces_pkey. Rows: one or none.
 */
export const deleteWorkspace = statement<
  [workspaceId: string, restorableDays: number, now: Date | null],
  DeletedWorkspaceRow
>(
  'delete-workspace',
  `update workspaces w
      set deleted_at = coalesce($3::timestamptz, now()), updated_at = coalesce($3::timestamptz, now()),
          purge_at = coalesce($3::timestamptz, now()) + make_interval(days => $2::integer)
    where w.id = $1::uuid and w.deleted_at is null
   returning ${COLUMNS}`,
);

/**
 * Purpose: the deleted workspaces of an owner that can be restored, in the order of their ids. Locks: none.
 * Index: workspace_members_user_id_idx, workspaces_pkey. Rows: at most the limit.
 */
export const listDeletedOf = statement<
  [ownerId: string, afterId: string | null, limit: number, now: Date | null],
  DeletedWorkspaceRow
>(
  'list-deleted-workspaces-of-owner',
  `select ${COLUMNS}
     from workspace_members m join workspaces w on w.id = m.workspace_id
    where m.user_id = $1::uuid and m.role = 'owner'
      and m.workspace_id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')
      and w.purge_at > coalesce($4::timestamptz, now())
    order by m.workspace_id
    limit $3::integer`,
);

/**
 * Purpose: brings a deleted workspace back to its owner, until it is due to be purged. A purge that has begun has set
 * purge_at back to deleted_at, for good, so that nobody restores half a workspace: a restoring transaction that has
 * waited has an old "now", before which the purge may have begun. Locks: the row. Index: workspaces_pkey. Rows: one or none.
 */
export const restoreWorkspace = statement<
  [workspaceId: string, ownerId: string, now: Date | null],
  WorkspaceRow
>(
  'restore-workspace',
  `update workspaces
      set deleted_at = null, purge_at = null, updated_at = coalesce($3::timestamptz, now())
    where id = $1::uuid and owner_id = $2::uuid and deleted_at is not null
      and purge_at > coalesce($3::timestamptz, now())
   returning id, name, slug, plan, settings, owner_id as "ownerId", created_by as "createdBy",
             created_at as "createdAt", updated_at as "updatedAt"`,
);

/**
 * Purpose: workspaces that are due to be purged, from now on beyond restoring. Those begun before come again, when all
 * others have had their turn. Locks: the rows; those that are being restored this moment, or begun by another process,
 * are left for another round. Index: workspaces_purge_at_idx. Rows: at most twenty.
 */
export const beginPurges = statement<[now: Date | null], { readonly id: string }>(
  'begin-workspace-purges',
  `update workspaces set purge_at = deleted_at, updated_at = coalesce($1::timestamptz, now())
    where id in (
      select id from workspaces where purge_at <= coalesce($1::timestamptz, now())
       order by updated_at, id limit 20 for update skip locked)
   returning id`,
);

/**
 * Purpose: the end of a purge: members, invitations, links and the audit log go with their workspace by their foreign
 * keys, the audit log in no other way. Locks: all of these rows. Index: workspaces_pkey. Rows: one or none.
 */
export const endPurge = statement<[workspaceId: string], { readonly id: string }>(
  'end-workspace-purge',
  `delete from workspaces where id = $1::uuid and purge_at = deleted_at returning id`,
);

/** Purpose: every workspace that is deleted, restorable or not. Locks: none. Index: workspaces_purge_at_idx. */
export const listDeleted = statement<[], { readonly workspaceId: string }>(
  'list-deleted-workspaces',
  `select id as "workspaceId" from workspaces where purge_at is not null order by id`,
);
