import { statement } from '#platform';

/** Runs that one row remembers. */
const RUNS = 20;
/** Rows that are kept of one workspace. */
export const MAX_BLOCK_EVENTS = 10_000;

/**
 * Purpose: writes down refused requests of a workspace. Those of one minute that are alike in workflow, node, host, rule and
 * dry run are counted on one row, which tells of the last one. Sorted, so that two processes take the rows in one order.
 * Locks: the rows it counts on. Index: egress_block_events_minute_key, an index of the queue once for each request. Rows: one
 * for each row written, and whether it is new.
 */
export const recordBlocks = statement<
  [
    now: Date | null,
    workspaceId: string,
    ids: readonly string[],
    runIds: readonly string[],
    nodeIds: readonly string[],
    iterations: readonly string[],
    hosts: readonly string[],
    rules: readonly string[],
    urls: readonly string[],
    messages: readonly string[],
    dryRuns: readonly boolean[],
  ],
  { readonly isNew: boolean }
>(
  'record-egress-blocks',
  `with given as (
     select u.*, (select workflow_id from run_queue q where q.run_id = u.run_id and q.workspace_id = $2::uuid)
       from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                   $11::boolean[]) with ordinality
              as u (id, run_id, node_id, iteration, host, rule, url, message, dry_run, n)
   ), alike as (
     select distinct on (workflow_id, node_id, host, rule, dry_run)
            g.*, count(*) over like_these as times,
            array_agg(run_id) over (like_these order by n desc rows between unbounded preceding and unbounded following) as runs
       from given g
     window like_these as (partition by workflow_id, node_id, host, rule, dry_run)
      order by workflow_id, node_id, host, rule, dry_run, n desc
   )
   insert into egress_block_events as e (workspace_id, id, workflow_id, run_ids, node_id, iteration, host, rule, url, message,
                                         dry_run, minute, count, first_at, last_at)
   select $2::uuid, id, workflow_id,
          (array(select r from unnest(runs) with ordinality d (r, at) group by r order by min(at)))[1:${RUNS}],
          node_id, iteration, host, rule, url, message, dry_run,
          date_trunc('minute', coalesce($1::timestamptz, now()), 'UTC'), times,
          coalesce($1::timestamptz, now()), coalesce($1::timestamptz, now())
     from alike
   on conflict (workspace_id, minute, workflow_id, node_id, host, rule, dry_run) do update
      set count = e.count + excluded.count, last_at = greatest(e.last_at, excluded.last_at),
          run_ids = (array(select r from unnest(excluded.run_ids || e.run_ids) with ordinality d (r, at)
                            group by r order by min(at)))[1:${RUNS}],
          iteration = excluded.iteration, url = excluded.url, message = excluded.message
   returning (xmax = 0) as "isNew"`,
);

/**
 * Purpose: keeps the newest rows of a workspace. It is asked after each new row, so it deletes as many as came.
 * Locks: the rows it deletes. Index: egress_block_events_pkey, from the end as far as rows are kept. Rows: those deleted.
 */
export const trimBlocks = statement<[workspaceId: string, kept: number], { readonly id: string }>(
  'trim-egress-blocks',
  `delete from egress_block_events
    where workspace_id = $1::uuid
      and id <= (select id from egress_block_events where workspace_id = $1::uuid
                  order by id desc offset $2::integer limit 1)
   returning id`,
);

/** Purpose: forgets what was refused long ago. Locks: the rows. Index: egress_block_events_minute_idx. Rows: at most $3. */
export const purgeBlocks = statement<
  [now: Date | null, days: number, limit: number],
  { readonly id: string }
>(
  'purge-egress-blocks',
  `delete from egress_block_events
    where ctid = any (array(
      select ctid from egress_block_events
       where minute < coalesce($1::timestamptz, now()) - make_interval(days => $2::integer)
       order by minute limit $3::integer for update skip locked))
   returning id`,
);

/** Refused requests that were alike, as they are listed. */
export interface BlockEventRow {
  readonly id: string;
  readonly workflowId: string | null;
  readonly runIds: readonly string[];
  readonly nodeId: string;
  readonly iteration: string;
  readonly host: string;
  readonly rule: string;
  readonly url: string;
  readonly message: string;
  readonly dryRun: boolean;
  readonly count: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

/**
 * Purpose: a page of what was refused, the newest first. Locks: none. Index: egress_block_events_pkey; the filters are
 * applied on the way, to as many rows as a workspace may have at most. Rows: at most $7.
 */
export const listBlocks = statement<
  [
    workspaceId: string,
    beforeId: string | null,
    host: string | null,
    rule: string | null,
    runId: string | null,
    dryRun: boolean | null,
    limit: number,
  ],
  BlockEventRow
>(
  'list-egress-blocks',
  `select id, workflow_id as "workflowId", run_ids as "runIds", node_id as "nodeId", iteration, host, rule, url, message,
          dry_run as "dryRun", count, first_at as "firstAt", last_at as "lastAt"
     from egress_block_events
    where workspace_id = $1::uuid and id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
      and ($3::text is null or host = $3::text) and ($4::text is null or rule = $4::text)
      and ($5::uuid is null or $5::uuid = any (run_ids)) and ($6::boolean is null or dry_run = $6::boolean)
    order by id desc limit $7::integer`,
);

/**
 * Purpose: forgets what was refused in a workspace before an instant, or all of it. Locks: the rows.
 * Index: one of those that begin with the workspace. Rows: those deleted, as many as a workspace may have.
 */
export const clearBlocks = statement<[workspaceId: string, before: Date | null], { readonly id: string }>(
  'clear-egress-blocks',
  `delete from egress_block_events
    where workspace_id = $1::uuid and last_at < coalesce($2::timestamptz, 'infinity')
   returning id`,
);
