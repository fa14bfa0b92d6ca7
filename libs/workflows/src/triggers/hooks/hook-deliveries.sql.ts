import { statement } from '#platform';
import { rowsAt } from '../../engine/sql/columns';

export type DeliveryState = 'accepted' | 'duplicate' | 'refused' | 'rejected';
export type DeliverySource = 'call' | 'test' | 'replay';

/** A delivery about to be stored. `headers` and `query` are JSON texts. */
export interface NewDelivery {
  readonly id: string;
  readonly workspaceId: string;
  readonly hookId: string;
  readonly workflowId: string;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly runId: string | null;
  readonly source: DeliverySource;
  readonly replayOf: string | null;
  readonly by: string | null;
  readonly method: string;
  readonly headers: string;
  readonly query: string;
  /** Null for none, or when it is not kept. */
  readonly body: Buffer | null;
  readonly bodyBytes: number;
  readonly keepDays: number;
}

const rows = rowsAt<NewDelivery>(2, {
  id: ['uuid', ({ id }) => id],
  workspace_id: ['uuid', ({ workspaceId }) => workspaceId],
  hook_id: ['uuid', ({ hookId }) => hookId],
  workflow_id: ['uuid', ({ workflowId }) => workflowId],
  state: ['text', ({ state }) => state],
  reason: ['text', ({ reason }) => reason],
  run_id: ['uuid', ({ runId }) => runId],
  source: ['text', ({ source }) => source],
  replay_of: ['uuid', ({ replayOf }) => replayOf],
  by: ['text', ({ by }) => by],
  method: ['text', ({ method }) => method],
  headers: ['json', ({ headers }) => headers],
  query: ['json', ({ query }) => query],
  body: ['text', ({ body }) => body && body.toString('base64')],
  body_bytes: ['integer', ({ bodyBytes }) => bodyBytes],
  keep_days: ['integer', ({ keepDays }) => keepDays],
});

const INSERT = `
  insert into hook_deliveries (id, workspace_id, hook_id, workflow_id, state, reason, run_id, source, replay_of, by, method,
                               headers, query, body, body_bytes, received_at, expires_at)
  select id, workspace_id, hook_id, workflow_id, state, reason, run_id, source, replay_of, by, method, headers, query,
         decode(body, 'base64'), body_bytes, coalesce($1::timestamptz, now()),
         coalesce($1::timestamptz, now()) + make_interval(days => keep_days)
    from ${rows.source}`;

/** Purpose: stores deliveries, in the transaction of their runs. Locks: the new rows. Rows: one each. */
export const insertDeliveries = statement<[now: Date | null, ...rows: string[]]>(
  'insert-hook-deliveries',
  INSERT,
);

/** The statement's parameters. */
export function deliveryParams(
  now: Date | null,
  deliveries: readonly NewDelivery[],
): [Date | null, ...string[]] {
  return [now, ...rows.params(deliveries)];
}

/**
 * Purpose: of the rejected deliveries of a hook, all but the newest go: strangers who know its address must not fill the
 * disk. Two at a time may leave one too many, until the next. Locks: the rows it deletes.
 * Index: hook_deliveries_rejected_idx. Rows: those beyond $2.
 */
export const trimRejected = statement<[hookId: string, kept: number]>(
  'trim-rejected-hook-deliveries',
  `delete from hook_deliveries where id = any (array(
     select id from hook_deliveries where hook_id = $1::uuid and state = 'rejected'
      order by id desc offset $2::integer limit 1000))`,
);

/** Purpose: forgets deliveries past their days. Index: hook_deliveries_expires_at_idx. Rows: at most $2. */
export const purgeDeliveries = statement<[now: Date | null, limit: number], { readonly id: string }>(
  'purge-hook-deliveries',
  `delete from hook_deliveries where ctid = any (array(
     select ctid from hook_deliveries where expires_at <= coalesce($1::timestamptz, now())
      order by expires_at limit $2 for update skip locked))
   returning id`,
);

/** A delivery as people find it in a list. */
export interface DeliveryRow {
  readonly id: string;
  readonly hookId: string;
  readonly workflowId: string;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly runId: string | null;
  readonly source: DeliverySource;
  readonly replayOf: string | null;
  readonly by: string | null;
  readonly method: string;
  readonly bodyBytes: number;
  readonly receivedAt: Date;
  readonly expiresAt: Date;
}

const COLUMNS = `
  id, hook_id as "hookId", workflow_id as "workflowId", state, reason, run_id as "runId", source,
  replay_of as "replayOf", by, method, body_bytes as "bodyBytes", received_at as "receivedAt", expires_at as "expiresAt"`;

/**
 * Purpose: a page of a hook's deliveries, the newest first. Locks: none.
 * Index: hook_deliveries_workspace_id_hook_id_id_idx, backwards until the page is full; a state is looked for on the way.
 * Rows: at most $5.
 */
export const listDeliveries = statement<
  [workspaceId: string, hookId: string, state: DeliveryState | null, beforeId: string | null, limit: number],
  DeliveryRow
>(
  'list-hook-deliveries',
  `select ${COLUMNS} from hook_deliveries
    where workspace_id = $1::uuid and hook_id = $2::uuid and ($3::text is null or state = $3::text)
      and id < coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    order by id desc limit $5::integer`,
);

/** A delivery with what was delivered. */
export interface FullDelivery extends DeliveryRow {
  readonly headers: { readonly [name: string]: string };
  readonly query: { readonly [name: string]: string | readonly string[] };
  readonly body: Buffer | null;
}

/** Purpose: one delivery with its payload. Locks: none. Index: hook_deliveries_pkey. Rows: one or none. */
export const findDelivery = statement<[workspaceId: string, id: string], FullDelivery>(
  'find-hook-delivery',
  `select ${COLUMNS}, headers, query, body from hook_deliveries where id = $2::uuid and workspace_id = $1::uuid`,
);
