import { statement } from '#platform';

/** A key that may be used, if its hash is right. */
export interface UsableKeyRow {
  readonly id: string;
  readonly workspaceId: string;
  readonly role: string;
  readonly scopes: readonly string[] | null;
  readonly hash: Buffer;
  readonly usedLongAgo: boolean;
}

/**
 * Purpose: the key with a prefix; none once it is revoked or expired. Runs with every request of a program, before its
 * workspace is known, hence as the owner role. Locks: none. Index: api_keys_prefix_key. Rows: one.
 */
export const findUsableKey = statement<[prefix: string, now: Date | null], UsableKeyRow>(
  'find-usable-api-key',
  `select id, workspace_id as "workspaceId", role, scopes, hash,
          (last_used_at is null or last_used_at <= coalesce($2::timestamptz, now()) - interval '1 minute')
            as "usedLongAgo"
     from api_keys
    where prefix = $1::text and revoked_at is null
      and (expires_at is null or expires_at > coalesce($2::timestamptz, now()))`,
);

/** Purpose: whether a key may still be used. Locks: none. Index: api_keys_pkey. Rows: one or none. */
export const keyHolds = statement<[id: string, now: Date | null], { readonly id: string }>(
  'api-key-holds',
  `select id from api_keys
    where id = $1::uuid and revoked_at is null
      and (expires_at is null or expires_at > coalesce($2::timestamptz, now()))`,
);

/**
 * Purpose: notes that a key was used, at most once a minute: the guard makes parallel requests write once.
 * Locks: the row. Index: api_keys_pkey. Rows: one or none.
 */
export const touchKey = statement<[id: string, now: Date | null]>(
  'touch-api-key',
  `update api_keys set last_used_at = coalesce($2::timestamptz, now())
    where id = $1::uuid
      and (last_used_at is null or last_used_at <= coalesce($2::timestamptz, now()) - interval '1 minute')`,
);

/** A key that was revoked just now. */
export interface RevokedKeyRow {
  readonly name: string;
  readonly role: string;
  readonly revokedAt: Date;
}

/**
 * Purpose: revokes a key once; of two requests at a time one does it. Zero rows: there is no such key, or it is revoked
 * already. Locks: the row. Index: api_keys_workspace_id_id_idx. Rows: one or none.
 */
export const revokeKey = statement<[workspaceId: string, id: string, now: Date | null], RevokedKeyRow>(
  'revoke-api-key',
  `update api_keys set revoked_at = coalesce($3::timestamptz, now())
    where workspace_id = $1::uuid and id = $2::uuid and revoked_at is null
    returning name, role, revoked_at as "revokedAt"`,
);

/**
 * Purpose: the usable keys that a person made in a workspace, locked until they are judged. Locks: the rows.
 * Index: api_keys_workspace_id_id_idx. Rows: a few.
 */
export const lockKeysOfMaker = statement<
  [workspaceId: string, createdBy: string],
  { readonly id: string; readonly role: string }
>(
  'lock-api-keys-of-maker',
  `select id, role from api_keys
    where workspace_id = $1::uuid and created_by = $2::uuid and revoked_at is null
    order by id for update`,
);

/**
 * Purpose: deletes keys of a workspace that is purged, revoked ones too, and says whether there were any when it began;
 * those another process is deleting are left to it. Locks: the rows. Index: api_keys_workspace_id_id_idx. Rows: one batch.
 */
export const purgeKeysOf = statement<
  [workspaceId: string],
  { readonly deleted: number; readonly found: boolean }
>(
  'purge-api-keys-of-workspace',
  `with gone as (
     delete from api_keys where id in (
       select id from api_keys where workspace_id = $1::uuid order by id limit 1000 for update skip locked)
     returning id
   )
   select count(*)::integer as deleted, exists (select from api_keys where workspace_id = $1::uuid) as found
     from gone`,
);
