import { statement } from '#platform';

/** What a hook keeps secret: what calls are signed by, what senders show, what a subscription is confirmed by. */
export const secretKinds = ['signing', 'password', 'bearer', 'verify_token'] as const;
export type SecretKind = (typeof secretKinds)[number];

/** A secret as it is stored. */
export interface StoredSecret {
  readonly id: string;
  readonly hookId: string;
  readonly kind: SecretKind;
  readonly sealed: Buffer;
  readonly setBy: string;
  readonly setAt: Date;
  /** Null for the current one. */
  readonly validUntil: Date | null;
}

const COLUMNS = `id, hook_id as "hookId", kind, sealed, set_by as "setBy", set_at as "setAt", valid_until as "validUntil"`;

/**
 * Purpose: the secrets of hooks that hold now. Locks: none. Index: hook_secrets_workspace_id_hook_id_idx.
 * Rows: two of each kind at most.
 */
export const listSecrets = statement<
  [workspaceId: string, hookIds: readonly string[], now: Date | null],
  StoredSecret
>(
  'list-hook-secrets',
  `select ${COLUMNS} from hook_secrets
    where workspace_id = $1::uuid and hook_id = any ($2::uuid[])
      and (valid_until is null or valid_until > coalesce($3::timestamptz, now()))
    order by hook_id, kind, valid_until nulls first`,
);

/** Purpose: of earlier secrets none holds beside the one that is replaced now. Index: hook_secrets_workspace_id_hook_id_idx. */
export const dropEarlierSecrets = statement<[workspaceId: string, hookId: string, kind: SecretKind]>(
  'drop-earlier-hook-secrets',
  `delete from hook_secrets
    where workspace_id = $1::uuid and hook_id = $2::uuid and kind = $3::text and valid_until is not null`,
);

/** Purpose: lets the current secret end after the overlap. Index: hook_secrets_current_key. Rows: one or none. */
export const endSecret = statement<
  [workspaceId: string, hookId: string, kind: SecretKind, overlapSeconds: number, now: Date | null]
>(
  'end-hook-secret',
  `update hook_secrets
      set valid_until = coalesce($5::timestamptz, now()) + make_interval(secs => $4::integer)
    where workspace_id = $1::uuid and hook_id = $2::uuid and kind = $3::text and valid_until is null`,
);

/** Purpose: stores a secret as the current one. Index: hook_secrets_current_key. Rows: one. */
export const insertSecret = statement<
  [
    id: string,
    workspaceId: string,
    hookId: string,
    kind: SecretKind,
    sealed: Buffer,
    setBy: string,
    now: Date | null,
  ]
>(
  'insert-hook-secret',
  `insert into hook_secrets (id, workspace_id, hook_id, kind, sealed, set_by, set_at)
   values ($1::uuid, $2::uuid, $3::uuid, $4::text, $5::bytea, $6::text, coalesce($7::timestamptz, now()))`,
);

/** Purpose: forgets the secrets of a kind at once, the one before as well. Rows: two at most. */
export const deleteSecrets = statement<
  [workspaceId: string, hookId: string, kind: SecretKind],
  { readonly id: string }
>(
  'delete-hook-secrets',
  `delete from hook_secrets where workspace_id = $1::uuid and hook_id = $2::uuid and kind = $3::text returning id`,
);

/**
 * Purpose: lets those who change one hook take turns. Zero rows: there is no such hook. Locks: the hook.
 * Index: workflow_hooks_pkey. Rows: one or none.
 */
export const lockHook = statement<
  [workspaceId: string, workflowId: string, hookId: string],
  { readonly generation: number }
>(
  'lock-workflow-hook',
  `select generation from workflow_hooks
    where id = $3::uuid and workspace_id = $1::uuid and workflow_id = $2::uuid for update`,
);

/**
 * Purpose: gives a hook another address; the one it had works until the overlap ends. Called after lock-workflow-hook.
 * Locks: the hook. Index: workflow_hooks_pkey. Rows: one.
 */
export const rotateToken = statement<
  [workspaceId: string, hookId: string, overlapSeconds: number, now: Date | null],
  { readonly generation: number; readonly previousUntil: Date }
>(
  'rotate-workflow-hook-token',
  `update workflow_hooks
      set generation = generation + 1,
          previous_until = coalesce($4::timestamptz, now()) + make_interval(secs => $3::integer)
    where id = $2::uuid and workspace_id = $1::uuid
   returning generation, previous_until as "previousUntil"`,
);

/** Purpose: forgets secrets that have ended. Index: hook_secrets_valid_until_idx. Rows: at most $2. */
export const purgeSecrets = statement<[now: Date | null, limit: number], { readonly id: string }>(
  'purge-hook-secrets',
  `delete from hook_secrets where ctid = any (array(
     select ctid from hook_secrets where valid_until <= coalesce($1::timestamptz, now())
      order by valid_until limit $2 for update skip locked))
   returning id`,
);

/** Where a secret lies: it opens nowhere else. */
export function placeOf({ id }: Pick<StoredSecret, 'id'>): string {
  return `hook_secrets:${id}:sealed`;
}
