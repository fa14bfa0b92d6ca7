import { statement } from '#platform';

/** A workspace as statements give it. */
export interface WorkspaceRow {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly plan: string;
  /** As it is stored; `settingsOf` gives it its defaults. */
  readonly settings: unknown;
  readonly ownerId: string;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const COLUMNS = `id, name, slug, plan, settings, owner_id as "ownerId", created_by as "createdBy",
             created_at as "createdAt", updated_at as "updatedAt"`;

/**
 * Purpose: creates a workspace unless its slug is taken; then no row comes back and the caller tries another slug.
 * A plain insert would abort the transaction, and looking first would let two requests find the same slug free.
 * Locks: waits for an uncommitted workspace with the same slug. Index: workspaces_slug_key. Rows: one or none.
 */
export const insertWorkspace = statement<
  [id: string, name: string, slug: string, ownerId: string, plan: string, now: Date | null],
  WorkspaceRow
>(
  'insert-workspace',
  `insert into workspaces (id, name, slug, created_by, owner_id, plan, anchor_at, created_at, updated_at)
   select $1::uuid, $2::text, $3::text, $4::uuid, $4::uuid, $5::text, date_trunc('second', t.at, 'UTC'), t.at, t.at
     from (select coalesce($6::timestamptz, now()) as at) t
   on conflict (slug) do nothing
   returning ${COLUMNS}`,
);

/** Purpose: a live workspace. Locks: none. Index: workspaces_pkey. Rows: one or none. */
export const findWorkspace = statement<[workspaceId: string], WorkspaceRow>(
  'find-workspace',
  `select ${COLUMNS} from workspaces where id = $1::uuid and deleted_at is null`,
);

/**
 * Purpose: changes what is given and leaves the rest. Settings are merged where they lie: written back as a whole, they
 * would take away what another request has set since they were read. Locks: the row; waits for a workspace with the same
 * slug that is not committed yet. Index: workspaces_pkey. Rows: one, or none for a deleted workspace.
 */
export const changeWorkspace = statement<
  [workspaceId: string, name: string | null, slug: string | null, settings: string, now: Date | null],
  WorkspaceRow
>(
  'change-workspace',
  `update workspaces
      set name = coalesce($2::text, name), slug = coalesce($3::text, slug), settings = settings || $4::jsonb,
          updated_at = coalesce($5::timestamptz, now())
    where id = $1::uuid and deleted_at is null
   returning ${COLUMNS}`,
);

/** A live workspace that nobody changes until the transaction ends. */
export interface LockedWorkspace {
  readonly id: string;
  readonly name: string;
  readonly plan: string;
  readonly ownerId: string;
  /** As it is stored; `settingsOf` gives it its defaults. */
  readonly settings: unknown;
}

/**
 * Purpose: makes everything that changes who is in a workspace, who will be, or whether it exists, take turns until the
 * transaction ends. None for a deleted workspace. Whoever locks a person's memberships too does that first.
 * Locks: the row. Index: workspaces_pkey. Rows: one or none.
 */
export const lockWorkspace = statement<[workspaceId: string], LockedWorkspace>(
  'lock-workspace',
  `select id, name, plan, owner_id as "ownerId", settings from workspaces
    where id = $1::uuid and deleted_at is null
      for update`,
);

/**
 * Purpose: the workspaces a person belongs to, in the order of their ids (which is the order of their creation).
 * Locks: none. Index: workspace_members_user_id_idx, workspaces_pkey. Rows: at most the limit.
 */
export const listWorkspacesOf = statement<
  [userId: string, afterId: string | null, limit: number],
  WorkspaceRow & { readonly role: string }
>(
  'list-workspaces-of-user',
  `select w.id, w.name, w.slug, w.plan, w.settings, w.owner_id as "ownerId", w.created_by as "createdBy",
          w.created_at as "createdAt", w.updated_at as "updatedAt", m.role
     from workspace_members m join workspaces w on w.id = m.workspace_id
    where m.user_id = $1::uuid
      and m.workspace_id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')
      and w.deleted_at is null
    order by m.workspace_id
    limit $3::integer`,
);

/**
 * Purpose: the plan of workspaces and the instant their billing periods begin at. Locks: none.
 * Index: workspaces_pkey. Rows: one for each live workspace asked for.
 */
export const findPlans = statement<
  [workspaceIds: string],
  { readonly workspaceId: string; readonly plan: string; readonly anchorAt: Date }
>(
  'find-workspace-plans',
  `select id as "workspaceId", plan, anchor_at as "anchorAt" from workspaces
    where id = any (string_to_array($1, ',')::uuid[]) and deleted_at is null`,
);
