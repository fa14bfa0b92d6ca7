import { statement } from '#platform';

/** Half of the key of the advisory lock below, so that no other use of such locks meets it. */
const SECRETS_OF_WORKSPACE = 0x736563; // "sec"

/**
 * Purpose: lets the transactions that add, replace or delete secrets of one workspace take turns until they end, so that
 * a count of them holds, and of two who create one name the second replaces what the first has made. There is no row that
 * a tenant may lock for it. Locks: an advisory one. Rows: none.
 */
export const lockSecretsOf = statement<[workspaceId: string], unknown>(
  'lock-secrets-of-workspace',
  `select pg_advisory_xact_lock(${SECRETS_OF_WORKSPACE}, hashtext($1::text))`,
);

/** A secret as people see it: everything but its value. */
export interface SecretRow {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly revision: number;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedBy: string;
  readonly updatedAt: Date;
}

const COLUMNS = `id, name, description, revision, created_by as "createdBy", created_at as "createdAt",
  updated_by as "updatedBy", updated_at as "updatedAt"`;

/** Purpose: the secrets of a workspace by name. Locks: none. Index: workspace_secrets_name_key. Rows: at most the limit of 200. */
export const listSecrets = statement<[workspaceId: string], SecretRow>(
  'list-secrets',
  `select ${COLUMNS} from workspace_secrets where workspace_id = $1::uuid order by name`,
);

/**
 * Purpose: a secret that is to be changed. Locks: its row, so that whoever publishes a workflow that uses it is waited for.
 * Index: workspace_secrets_name_key. Rows: one or none.
 */
export const lockSecret = statement<[workspaceId: string, name: string], SecretRow>(
  'lock-secret',
  `select ${COLUMNS} from workspace_secrets where workspace_id = $1::uuid and name = $2::text for update`,
);

/** Purpose: how many secrets there are, after the lock above. Locks: none. Index: workspace_secrets_name_key. Rows: one. */
export const countSecrets = statement<[workspaceId: string], { readonly count: number }>(
  'count-secrets',
  `select count(*)::integer as count from workspace_secrets where workspace_id = $1::uuid`,
);

/** Purpose: creates a secret. Locks: the new row. Index: workspace_secrets_name_key. Rows: one. */
export const insertSecret = statement<
  [id: string, workspaceId: string, name: string, sealed: Buffer, description: string, createdBy: string],
  SecretRow
>(
  'insert-secret',
  `insert into workspace_secrets (id, workspace_id, name, sealed, description, created_by, updated_by)
   values ($1::uuid, $2::uuid, $3::text, $4::bytea, $5::text, $6::text, $6::text)
   returning ${COLUMNS}`,
);

/**
 * Purpose: gives a secret another value; its description stays unless there is a new one. Locks: the row, held already.
 * Index: workspace_secrets_pkey. Rows: one.
 */
export const replaceSecret = statement<
  [id: string, workspaceId: string, sealed: Buffer, description: string | null, updatedBy: string],
  SecretRow
>(
  'replace-secret',
  `update workspace_secrets
      set sealed = $3::bytea, description = coalesce($4::text, description), revision = revision + 1,
          updated_by = $5::text, updated_at = now()
    where workspace_id = $2::uuid and id = $1::uuid
    returning ${COLUMNS}`,
);

/** Purpose: deletes a secret. Locks: the row, held already. Index: workspace_secrets_pkey. Rows: one. */
export const deleteSecret = statement<[workspaceId: string, id: string]>(
  'delete-secret',
  `delete from workspace_secrets where workspace_id = $1::uuid and id = $2::uuid`,
);

/** A workflow whose published version names secrets. */
export interface SecretUser {
  readonly id: string;
  readonly name: string;
  readonly secretNames: readonly string[];
}

/**
 * Purpose: which workflows use secrets in what they run at present. Locks: none. Index: workflows_name_key, which holds the
 * live ones of a workspace, and workflow_versions_pkey. Rows: the live workflows of a workspace that use secrets.
 */
export const secretUsers = statement<[workspaceId: string], SecretUser>(
  'list-users-of-secrets',
  `select w.id, w.name, v.secret_names as "secretNames"
     from workflows w
     join workflow_versions v on v.workspace_id = w.workspace_id and v.id = w.published_version_id
    where w.workspace_id = $1::uuid and w.archived_at is null and v.secret_names <> '{}'
    order by w.name, w.id`,
);

/**
 * Purpose: which of these secrets there are, for a version that is about to be published. Locks: the secrets, against
 * being deleted before the version is there to be seen. In one order, so that no two wait for each other.
 * Index: workspace_secrets_name_key. Rows: one per name that there is.
 */
export const holdSecrets = statement<
  [workspaceId: string, names: readonly string[]],
  { readonly name: string }
>(
  'hold-secrets',
  `select name from workspace_secrets where workspace_id = $1::uuid and name = any ($2::text[])
    order by name for share`,
);

/** Purpose: which of these secrets there are. Locks: none. Index: workspace_secrets_name_key. Rows: one per name that there is. */
export const knownSecretNames = statement<
  [workspaceId: string, names: readonly string[]],
  { readonly name: string }
>(
  'known-secret-names',
  `select name from workspace_secrets where workspace_id = $1::uuid and name = any ($2::text[])`,
);

/** A secret as it lies in its row. */
export interface SealedSecret {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly sealed: Buffer;
}

/**
 * Purpose: sealed values for runs that are about to be executed: the owner role alone may read them. Locks: none.
 * Index: workspace_secrets_name_key. Rows: one per pair that there is.
 */
export const readSealedSecrets = statement<
  [workspaceIds: readonly string[], names: readonly string[]],
  SealedSecret
>(
  'read-sealed-secrets',
  `select s.id, s.workspace_id as "workspaceId", s.name, s.sealed
     from unnest($1::uuid[], $2::text[]) as wanted (workspace_id, name)
     join workspace_secrets s on s.workspace_id = wanted.workspace_id and s.name = wanted.name`,
);

/** Where a value lies, for its seal: a box that is moved to another row does not open. */
export function sealContext(workspaceId: string, id: string): string {
  return `workspace_secrets:${workspaceId}:${id}`;
}
