// Fills a database with runs for history.mjs: twenty workspaces with ten workflows each, in three retention classes, half of
// all runs of the first workspace; failures, labels, live runs, and node runs and events for one run in twenty.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { partitionKeeper } = require('../dist/libs/workflows/src/retention/partition-keeper.js');

const DAY = 86_400_000;
const CHUNK = 500_000;
const WORKSPACES = 20;
const CLASSES = [30, 365, 1];
const TABLES = [
  'workflow_runs',
  'workflow_node_runs',
  'workflow_run_events',
  'workflow_run_labels',
  'dead_letters',
  'run_queue',
];

export const sql = (db, text, ...params) => db.executeControl({ name: '', text }, ...params);

/** Runs in the order of time, as they would have come. Gives the latest instant, and the workspaces with their workflows. */
export async function fill(product, databaseUrl, { firstWorkspace, runs }) {
  const now = Date.now();
  const { db, end } = await patient(databaseUrl);
  await makePeriods(product, now);
  await makeWorkspaces(db, firstWorkspace);
  for (let from = 0; from < runs; from += CHUNK) {
    await loadRuns(db, { from, to: Math.min(runs, from + CHUNK) - 1, runs, now });
    await loadDetails(db);
  }
  await sql(db, 'drop table if exists bench_chunk');
  for (const table of TABLES) await vacuum(db, table);
  const workspaces = await sql(
    db,
    `select w.id, (select array_agg(workflow_id order by f) from bench_workflows f where f.w = w.w) as workflows
       from bench_workspaces w order by w.w`,
  );
  await end();
  return { latest: now, workspaces };
}

/** As many partitions as there would be: what is older has been dropped. */
async function makePeriods(product, now) {
  const ago = (days) => ({ now: () => new Date(now - days * DAY), pinned: () => new Date(now - days * DAY) });
  for (let days = 372; days >= 0; days -= days > 40 ? 14 : 2) {
    const classes = () => CLASSES.filter((kept) => days <= kept * 1.1 + 2);
    await partitionKeeper({ db: product, clock: ago(days), classes }, 'cell_1').runOnce();
  }
}

async function makeWorkspaces(db, firstWorkspace) {
  await sql(
    db,
    `create table bench_workspaces as
     select n as w, case when n = 0 then $1::uuid else gen_random_uuid() end as id,
            ($2::int[])[1 + n % 3]::smallint as days from generate_series(0, ${WORKSPACES - 1}) n`,
    firstWorkspace,
    CLASSES,
  );
  await sql(db, `insert into tenants (workspace_id) select id from bench_workspaces on conflict do nothing`);
  await sql(
    db,
    `insert into workspace_directory (workspace_id, cell_id) select id, 'cell_1' from bench_workspaces on conflict do nothing`,
  );
  await sql(
    db,
    `create table bench_workflows as
     select w, f, id as workspace_id, days, gen_random_uuid() as workflow_id, gen_random_uuid() as version_id
       from bench_workspaces cross join generate_series(0, 9) f`,
  );
  await sql(
    db,
    `insert into workflows (id, workspace_id, name, draft, created_by)
     select workflow_id, workspace_id, 'w' || f, '{}', 'user:bench' from bench_workflows`,
  );
  await sql(
    db,
    `insert into workflow_versions (id, workspace_id, workflow_id, number, definition, published_by)
     select version_id, workspace_id, workflow_id, 1, '{"nodes":[],"edges":[]}', 'user:bench' from bench_workflows`,
  );
}

/** The runs themselves. The last in a thousand of all are live. */
async function loadRuns(db, { from, to, runs, now }) {
  const live = Math.max(50, Math.round(runs / 1000));
  await sql(db, `drop table if exists bench_chunk`);
  await sql(
    db,
    `create unlogged table bench_chunk as
     select n, w.workspace_id, w.workflow_id, w.version_id, w.days, at,
            (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3)
             || '8' || substr(md5(n::text), 4, 15))::uuid as id,
            case when n >= ${runs - live} then null when n % 100 < 3 then 'failed' when n % 100 < 5 then 'canceled'
                 else 'succeeded' end as outcome,
            case when n % 5 = 0 then json_build_object('customer', 'c' || (n / 5) % 1000) end as labels
       from (select n, case when n % 2 = 0 then 0 else 1 + (n / 2) % ${WORKSPACES - 1} end as w,
                    case when n % 20000 = 2 then 9 when n % 10 < 8 then 0 else n % 9 end as f
               from generate_series(${from}::bigint, ${to}::bigint) n) g
       join bench_workflows w using (w, f)
      cross join lateral (
        select to_timestamp(${now / 1000}) - make_interval(secs => w.days * 86400.0 * (${runs} - n) / ${runs})) t (at)
      order by n`,
  );
  await sql(
    db,
    `insert into workflow_runs (id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input,
                                outcome, output, error, created_at, started_at, finished_at, retention_days, labels)
     select id, workspace_id, workflow_id, version_id, 'start',
            case when n % 50000 = 4 then 'trigger.error' when n % 4 = 0 then 'trigger.webhook' else 'trigger.manual' end,
            'user:bench', json_build_object('n', n, 'text', repeat('x', 40)), outcome,
            case when outcome = 'succeeded' then '{"check":{"same":1}}'::json end,
            case outcome when 'failed' then json_build_object('code', 'node.' || case when n % 10000 = 2 then 'rare' else 'common' end,
                                                              'message', 'It went wrong.')
                         when 'canceled' then '{"code":"run.canceled","message":"The run was canceled."}' end,
            at, at, case when outcome is not null then at + interval '1 second' end, days, labels
       from bench_chunk order by n`,
  );
}

/** What belongs to the runs of a chunk. */
async function loadDetails(db) {
  await sql(
    db,
    `insert into workflow_run_labels (workspace_id, label, run_id, retention_days)
     select workspace_id, 'customer:' || (labels ->> 'customer'), id, days from bench_chunk where labels is not null order by n`,
  );
  await sql(
    db,
    `insert into dead_letters (run_id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input,
                               error_code, error, created_at, failed_at)
     select id, workspace_id, workflow_id, version_id, 'start', 'trigger.manual', 'user:bench', '{}',
            'node.' || case when n % 10000 = 2 then 'rare' else 'common' end, '{}', at, at
       from bench_chunk where outcome = 'failed' order by n`,
  );
  await sql(
    db,
    `insert into workflow_node_runs (run_id, node_id, workspace_id, status, ports, output, started_at, finished_at, retention_days)
     select id, node, workspace_id, 'succeeded', 'out', '{"n":1,"label":"run 1"}', at, at, days
       from bench_chunk cross join unnest(array['start', 'double', 'check']) node where n % 20 = 0 order by n`,
  );
  await sql(
    db,
    `insert into workflow_run_events (run_id, first_seq, last_seq, workspace_id, events, retention_days)
     select id, 2, 6, workspace_id, json_build_array(
              json_build_object('type', 'run.started', 'at', at), json_build_object('type', 'node.succeeded', 'at', at, 'nodeId', 'start'),
              json_build_object('type', 'node.succeeded', 'at', at, 'nodeId', 'double'),
              json_build_object('type', 'node.succeeded', 'at', at, 'nodeId', 'check'), json_build_object('type', 'run.succeeded', 'at', at)),
            days
       from bench_chunk where n % 20 = 0 order by n`,
  );
  await sql(
    db,
    `insert into run_queue (run_id, workspace_id, workflow_id, retention_days, state, turn)
     select id, workspace_id, workflow_id, days, 'queued', n from bench_chunk where outcome is null`,
  );
}

/** A connection whose statements may take as long as they like; the product's may not. */
async function patient(databaseUrl) {
  const { Client } = require('pg');
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(
    `set search_path = cell_1, control; set synchronous_commit = off; set statement_timeout = 0; set plan_cache_mode = auto`,
  );
  const executeControl = async ({ text }, ...params) => (await client.query(text, params)).rows;
  return { db: { executeControl }, end: () => client.end() };
}

/** Table by table, because a partitioned one may take longer than a statement may. */
async function vacuum(db, table) {
  const parts = await sql(
    db,
    `select relid::regclass::text as name from pg_partition_tree($1) where isleaf`,
    table,
  );
  for (const { name } of parts) await sql(db, `vacuum analyze ${name}`);
  await sql(db, `analyze ${table}`);
}
