import { statement } from '#platform';

/** A workspace's policy as it is stored. */
export interface StoredPolicy {
  readonly defaultAction: 'allow' | 'deny';
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly dryRun: boolean;
  readonly revision: number;
  readonly updatedAt: Date;
  readonly updatedBy: string;
}

const COLUMNS = `default_action as "defaultAction", allow, deny, dry_run as "dryRun", revision,
          updated_at as "updatedAt", updated_by as "updatedBy"`;

/**
 * Purpose: the policy of a workspace. Zero rows: it has saved none. Locks: none. Index: egress_policies_pkey.
 * Rows: one or none.
 */
export const findPolicy = statement<[workspaceId: string], StoredPolicy>(
  'find-egress-policy',
  `select ${COLUMNS} from egress_policies where workspace_id = $1::uuid`,
);

/** Purpose: the same, held until the commit, to tell what a change changes. Locks: the policy. Index: egress_policies_pkey. Rows: one or none. */
export const lockPolicy = statement<[workspaceId: string], StoredPolicy>(
  'lock-egress-policy',
  `select ${COLUMNS} from egress_policies where workspace_id = $1::uuid for update`,
);

/**
 * Purpose: saves a policy if it is still at the revision that the author has seen: 0 when there was none; null overwrites
 * any. Zero rows: it is at another. Of two first ones at a time the second waits for the first, and then finds revision 1.
 * Locks: the policy. Index: egress_policies_pkey. Rows: one or none.
 */
export const savePolicy = statement<
  [
    workspaceId: string,
    defaultAction: 'allow' | 'deny',
    allow: readonly string[],
    deny: readonly string[],
    dryRun: boolean,
    updatedBy: string,
    expectedRevision: number | null,
    now: Date | null,
  ],
  StoredPolicy
>(
  'save-egress-policy',
  `insert into egress_policies (workspace_id, default_action, allow, deny, dry_run, updated_by, updated_at)
   select $1::uuid, $2::text, $3::text[], $4::text[], $5::boolean, $6::text, coalesce($8::timestamptz, now())
    where coalesce($7::bigint, 0) = 0 or exists (select from egress_policies where workspace_id = $1::uuid)
   on conflict (workspace_id) do update
      set default_action = excluded.default_action, allow = excluded.allow, deny = excluded.deny,
          dry_run = excluded.dry_run, updated_by = excluded.updated_by, updated_at = excluded.updated_at,
          revision = egress_policies.revision + 1
    where $7::bigint is null or egress_policies.revision = $7::bigint
   returning ${COLUMNS}`,
);
