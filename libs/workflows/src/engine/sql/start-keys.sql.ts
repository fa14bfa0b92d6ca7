import { statement } from '#platform';
import { column, joined } from './columns';

/** An `Idempotency-Key` of a start, with the run it would stand for. The hash is of what was asked for. */
export interface StartKey {
  readonly workflowId: string;
  readonly key: string;
  readonly workspaceId: string;
  readonly runId: string;
  readonly requestHashHex: string;
  /** Kept for good: the product's own, for starts that may be asked for again after weeks. */
  readonly lasting: boolean;
  /** Seconds after which another start may take a lasting key; null for one that is never given up. */
  readonly windowSeconds: number | null;
}

/** What holds a key after `claimStartKeys`: our run, or an earlier one. */
export interface HeldKey {
  readonly workflowId: string;
  readonly key: string;
  readonly runId: string;
  readonly requestHashHex: string;
}

type KeyParams = [
  workflowIds: string,
  keys: string,
  workspaceIds: string,
  runIds: string,
  hashes: string,
  lasting: string,
  windows: string,
  now: Date | null,
];

/**
 * Purpose: gives up those of the keys whose window is over, so that they can be taken anew. Whoever comes at the same
 * time waits for the row, and finds it gone, or taken. Locks: the rows it deletes, in key order. Index: run_start_keys_pkey.
 */
export const giveUpStartKeys = statement<[workflowIds: string, keys: string, now: Date | null]>(
  'give-up-start-keys',
  `delete from run_start_keys where ctid = any (array(
     select k.ctid
       from unnest(${column(1, 'uuid')}, ${column(2, 'text')}) as u (workflow_id, key)
       join run_start_keys k
         on k.workflow_id = u.workflow_id and k.key = convert_from(decode(u.key, 'hex'), 'UTF8') collate "default"
      where k.expires_at <= coalesce($3::timestamptz, now())
      order by k.workflow_id, k.key for update of k))`,
);

/**
 * Purpose: takes start keys; a key that is taken already stays as it is. A second start with the same key waits here
 * until the first commits or rolls back.
 * Locks: run_start_keys rows, in key order, before any other lock of a start. Index: run_start_keys_pkey.
 */
export const claimStartKeys = statement<KeyParams>(
  'claim-start-keys',
  `insert into run_start_keys (workflow_id, key, workspace_id, run_id, request_hash, lasting, expires_at)
   select workflow_id, convert_from(decode(key, 'hex'), 'UTF8') collate "default", workspace_id, run_id, decode(hash, 'hex'),
          lasting, coalesce($8::timestamptz, now()) + make_interval(secs => window_seconds)
     from unnest(${column(1, 'uuid')}, ${column(2, 'text')}, ${column(3, 'uuid')}, ${column(4, 'uuid')},
                 ${column(5, 'text')}, ${column(6, 'boolean')}, ${column(7, 'integer')})
          as u (workflow_id, key, workspace_id, run_id, hash, lasting, window_seconds)
    order by workflow_id, key
   on conflict (workflow_id, key) do nothing`,
);

/**
 * The statement's parameters. Keys travel in hex: they are the only text here that a caller chooses. What is decoded
 * has the collation of the encoding's name, which the index does not have; hence the `collate` wherever it is compared.
 */
export function claimStartKeysParams(keys: readonly StartKey[], now: Date | null): KeyParams {
  return [
    joined(keys, (key) => key.workflowId),
    joined(keys, (key) => Buffer.from(key.key).toString('hex')),
    joined(keys, (key) => key.workspaceId),
    joined(keys, (key) => key.runId),
    joined(keys, (key) => key.requestHashHex),
    joined(keys, (key) => String(key.lasting)),
    joined(keys, (key) => key.windowSeconds),
    now,
  ];
}

/** Purpose: who holds the keys now. Index: run_start_keys_pkey. Rows: one per key. */
export const readStartKeys = statement<[workflowIds: string, keys: string], HeldKey>(
  'read-start-keys',
  `select k.workflow_id as "workflowId", k.key, k.run_id as "runId", encode(k.request_hash, 'hex') as "requestHashHex"
     from unnest(${column(1, 'uuid')}, ${column(2, 'text')}) as u (workflow_id, key)
    cross join lateral (
      select * from run_start_keys s
       where s.workflow_id = u.workflow_id and s.key = convert_from(decode(u.key, 'hex'), 'UTF8') collate "default" limit 1) k`,
);

/** Purpose: gives back the keys of runs that quota refused. Index: run_start_keys_pkey. */
export const releaseStartKeys = statement<[workflowIds: string, keys: string, runIds: string]>(
  'release-start-keys',
  `delete from run_start_keys k
    using unnest(${column(1, 'uuid')}, ${column(2, 'text')}, ${column(3, 'uuid')}) as u (workflow_id, key, run_id)
    where k.workflow_id = u.workflow_id and k.key = convert_from(decode(u.key, 'hex'), 'UTF8') collate "default"
      and k.run_id = u.run_id`,
);

/** Purpose: forgets keys past their day. Index: run_start_keys_created_at_idx. Rows: at most $2. */
export const purgeStartKeys = statement<[now: Date | null, limit: number], { readonly runId: string }>(
  'purge-start-keys',
  `delete from run_start_keys where ctid = any (array(
     select ctid from run_start_keys
      where created_at < coalesce($1::timestamptz, now()) - interval '24 hours' and not lasting
      order by created_at limit $2 for update skip locked))
   returning run_id as "runId"`,
);

/** Purpose: forgets keys whose window is over. Index: run_start_keys_expires_at_idx. Rows: at most $2. */
export const purgeExpiredStartKeys: typeof purgeStartKeys = statement(
  'purge-expired-start-keys',
  `delete from run_start_keys where ctid = any (array(
     select ctid from run_start_keys
      where expires_at <= coalesce($1::timestamptz, now())
      order by expires_at limit $2 for update skip locked))
   returning run_id as "runId"`,
);
