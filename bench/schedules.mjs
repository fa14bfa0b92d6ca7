// How late schedules fire when many are due at one instant: from the due instant to the moment at which another
// connection sees the committed run. Embedded PostgreSQL at its durable defaults, one process with the role `scheduler`.
//
//   npm run build && node bench/schedules.mjs [--schedules 10000] [--rounds 3] [--spread-seconds 0]
//
// DATABASE_URL names an empty database to use instead of an embedded one in a temporary folder.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const require = createRequire(import.meta.url);
require('reflect-metadata');
const dist = (path) => require(`../dist/${path}`);
const { loadConfig, Migrator, startEmbeddedPostgres, Db } = dist('libs/platform/src/index.js');
const { migrations } = dist('migrations/index.js');
const { createApplication } = dist('apps/api/src/application.js');

const { values: flags } = parseArgs({
  options: {
    schedules: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    'spread-seconds': { type: 'string', default: '0' },
  },
});
const SCHEDULES = Number(flags.schedules);
const ROUNDS = Number(flags.rounds);
const SPREAD_SECONDS = Number(flags['spread-seconds']);
const WORKSPACES = 20;
const LEAD_MS = 3_000;
const POLL_MS = 50;

async function main() {
  process.env.LOG_LEVEL ??= 'warn';
  process.env.LOG_FORMAT ??= 'json';
  process.env.PORT ??= '0';
  process.env.RATE_LIMIT_SCALE ??= '0';
  process.env.ROLES = 'api,scheduler';
  const folder = mkdtempSync(join(tmpdir(), 'millrace-schedules-'));
  process.env.DATA_DIR = folder;
  const config = loadConfig();
  const given = config.values.databaseUrl?.reveal();
  const postgres = given ? null : await startEmbeddedPostgres({ dataDir: folder, log: () => undefined });
  const databaseUrl = given ?? postgres.url;
  await new Migrator(databaseUrl, migrations).up();
  const app = await createApplication({ config, databaseUrl, secretKey: Buffer.alloc(32, 7) });
  await app.listen(0, '127.0.0.1');
  const db = app.get(Db, { strict: false });
  const sql = (name, text, ...params) => db.executeControl({ name: `bench-${name}`, text }, ...params);
  try {
    await arrange(sql, await app.getUrl());
    const rounds = [];
    await round(sql, 0); // Warms caches and plans.
    for (let index = 1; index <= ROUNDS; index += 1) rounds.push(await round(sql, index));
    const median = rounds.map(({ p99Ms }) => p99Ms).toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)];
    process.stdout.write(`lateness p99, median of ${ROUNDS}: ${median} ms (${SCHEDULES} schedules)\n`);
  } finally {
    await app.close();
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Workspaces, and in each of them workflows with one schedule, which is due when a round says so. */
async function arrange(sql, url) {
  const definition = JSON.stringify({
    nodes: [{ id: 'when', type: 'trigger.schedule', params: { cron: '0 0 1 1 *' }, join: 'all' }],
    edges: [],
  });
  for (let n = 0; n < WORKSPACES; n += 1) {
    const workspaceId = await signUp(url, n);
    await sql(
      'copies',
      `with w as (
         insert into workflows (id, workspace_id, name, draft, created_by)
         select gen_random_uuid(), $1, 'Workflow ' || n, $2, 'user:bench' from generate_series(1, $3::integer) n returning id
       ), v as (
         insert into workflow_versions (id, workspace_id, workflow_id, number, definition, published_by)
         select gen_random_uuid(), $1, id, 1, $2, 'user:bench' from w returning id, workflow_id
       )
       insert into workflow_schedules (id, workspace_id, workflow_id, node_id, version_id, params)
       select gen_random_uuid(), $1, workflow_id, 'when', id, '{"cron":"0 0 1 1 *"}' from v`,
      workspaceId,
      definition,
      Math.ceil(SCHEDULES / WORKSPACES),
    );
    await sql(
      'publish',
      `update workflows w set published_version_id = v.id from workflow_versions v
        where v.workflow_id = w.id and w.workspace_id = $1`,
      workspaceId,
    );
  }
}

async function signUp(url, n) {
  const post = (path, body) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const email = `bench-${n}-${Date.now()}@example.com`;
  const answer = await post('/v1/auth/sign-up', {
    email,
    password: 'a long enough password',
    acceptTerms: '1.0',
  });
  const { token } = await answer.json();
  const me = await fetch(`${url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  return (await me.json()).workspaces[0].id;
}

async function round(sql, index) {
  const [{ due }] = await sql(
    'due',
    `with at as (select date_trunc('milliseconds', now()) + make_interval(secs => $1) as first)
     update workflow_schedules s set due_at = u.at, fire_at = u.at
       from (select id, first + make_interval(secs => $2 * (row_number() over () - 1) / count(*) over ()) as at
               from workflow_schedules, at) u
      where u.id = s.id returning extract(epoch from (select first from at)) * 1000 as due`,
    LEAD_MS / 1000,
    SPREAD_SECONDS,
  );
  const cpu = process.cpuUsage();
  // When each fire was seen first. Transactions do not become visible in the order of their times.
  const seen = new Map();
  while (seen.size < SCHEDULES) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const recent = await sql(
      'seen',
      `select schedule_id as id, extract(epoch from clock_timestamp() - due_at)::float8 * 1000 as ms
         from schedule_fires where fired_at > greatest(to_timestamp($1::float8 / 1000), now() - interval '5 seconds')
          and due_at >= to_timestamp($1::float8 / 1000)`,
      Number(due),
    );
    for (const { id, ms } of recent) if (!seen.has(id)) seen.set(id, ms);
  }
  const used = process.cpuUsage(cpu);
  const sorted = [...seen.values()].toSorted((a, b) => a - b);
  const at = (share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
  const figures = {
    round: index,
    fires: sorted.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    cpuMicrosPerFire: Math.round((used.user + used.system) / sorted.length),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  return figures;
}

await main();
process.exit(0);
