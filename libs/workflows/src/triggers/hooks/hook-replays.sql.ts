import { statement } from '#platform';
import { rowsAt } from '../../engine/sql/columns';

/** What a call has signed, by which the very same call is known again. */
export interface SeenSignature {
  readonly hookId: string;
  readonly digestHex: string;
  readonly workspaceId: string;
  readonly deliveryId: string;
  /** For how long it could be sent again and pass. */
  readonly keepSeconds: number;
}

const ofHooks = {
  hook_id: ['uuid', ({ hookId }: SeenSignature) => hookId],
  digest: ['text', ({ digestHex }: SeenSignature) => digestHex],
} as const;

const named = rowsAt<SeenSignature>(1, ofHooks);
const dated = rowsAt<SeenSignature>(2, ofHooks);
const whole = rowsAt<SeenSignature>(2, {
  ...ofHooks,
  workspace_id: ['uuid', ({ workspaceId }) => workspaceId],
  delivery_id: ['uuid', ({ deliveryId }) => deliveryId],
  keep_seconds: ['integer', ({ keepSeconds }) => keepSeconds],
});

/**
 * Purpose: gives up those of the signatures that are past their time, whether they were purged yet or not.
 * Locks: the rows it deletes, in key order. Index: hook_replays_pkey.
 */
export const giveUpReplays = statement<[now: Date | null, ...rows: string[]]>(
  'give-up-hook-replays',
  `delete from hook_replays where ctid = any (array(
     select r.ctid from ${dated.source}
       join hook_replays r on r.hook_id = u.hook_id and r.digest = decode(u.digest, 'hex')
      where r.expires_at <= coalesce($1::timestamptz, now())
      order by r.hook_id, r.digest for update of r))`,
);

/**
 * Purpose: notes signatures, and says which of them are new. Whoever brings one that is being noted waits here until that
 * is committed or rolled back. Locks: hook_replays rows in the order of the key, before any lock of a start.
 * Index: hook_replays_pkey. Rows: those that are new.
 */
export const claimReplays = statement<
  [now: Date | null, ...rows: string[]],
  { readonly hookId: string; readonly digestHex: string }
>(
  'claim-hook-replays',
  `insert into hook_replays (hook_id, digest, workspace_id, delivery_id, expires_at)
   select hook_id, decode(digest, 'hex'), workspace_id, delivery_id,
          coalesce($1::timestamptz, now()) + make_interval(secs => keep_seconds)
     from ${whole.source} order by hook_id, digest
   on conflict (hook_id, digest) do nothing
   returning hook_id as "hookId", encode(digest, 'hex') as "digestHex"`,
);

/**
 * Purpose: the runs that signatures which were seen before have led to. A delivery is kept longer than its signature.
 * Locks: none. Index: hook_replays_pkey, hook_deliveries_pkey. Rows: one each.
 */
export const readReplays = statement<
  string[],
  { readonly hookId: string; readonly digestHex: string; readonly runId: string }
>(
  'read-hook-replays',
  `select r.hook_id as "hookId", encode(r.digest, 'hex') as "digestHex", d.run_id as "runId"
     from ${named.source}
    cross join lateral (
      select * from hook_replays s where s.hook_id = u.hook_id and s.digest = decode(u.digest, 'hex') limit 1) r
    cross join lateral (select run_id from hook_deliveries where id = r.delivery_id limit 1) d`,
);

/** Purpose: forgets signatures of calls that started nothing: they may be sent again. Index: hook_replays_pkey. */
export const releaseReplays = statement<string[]>(
  'release-hook-replays',
  `delete from hook_replays r using ${named.source}
    where r.hook_id = u.hook_id and r.digest = decode(u.digest, 'hex')`,
);

/** Purpose: forgets signatures past their time. Index: hook_replays_expires_at_idx. Rows: at most $2. */
export const purgeReplays = statement<[now: Date | null, limit: number], { readonly hookId: string }>(
  'purge-hook-replays',
  `delete from hook_replays where ctid = any (array(
     select ctid from hook_replays where expires_at <= coalesce($1::timestamptz, now())
      order by expires_at limit $2 for update skip locked))
   returning hook_id as "hookId"`,
);

/** The parameters of statements that name signatures. */
export const replayParams = {
  named: (seen: readonly SeenSignature[]): string[] => [...named.params(seen)],
  dated: (now: Date | null, seen: readonly SeenSignature[]): [Date | null, ...string[]] => [
    now,
    ...dated.params(seen),
  ],
  whole: (now: Date | null, seen: readonly SeenSignature[]): [Date | null, ...string[]] => [
    now,
    ...whole.params(seen),
  ],
};
