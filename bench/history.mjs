// History at size: fills 10^4, 10^6 and 10^7 runs and times what people ask of them, through the product's own
// statements with generic plans, and over HTTP. It fails when a plan reads a table whole or leaves its index.
//
//   npm run build && node bench/history.mjs [--sizes 10000,1000000,10000000] [--samples 200] [--json figures.json]
//
// A database of its own for each size, on an embedded PostgreSQL in a temporary folder that is deleted afterwards; some
// 10 GB at 10^7. DATABASE_URL names another server's empty database, for a single size.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fill, sql } from './history-load.mjs';

const require = createRequire(import.meta.url);
require('reflect-metadata');
const dist = (path) => require(`../dist/${path}`);
const { loadConfig, Migrator, startEmbeddedPostgres, Db, Clock } = dist('libs/platform/src/index.js');
const { migrations } = dist('migrations/index.js');
const { createApplication } = dist('apps/api/src/application.js');
const { RunHistory } = dist('libs/workflows/src/history/run-history.service.js');
const { inOrder, listRunsBy } = dist('libs/workflows/src/history/list-runs.sql.js');
const { findRun, listNodeRuns, readEvents } = dist('libs/workflows/src/runs/read-runs.sql.js');
const { pageNodeRuns } = dist('libs/workflows/src/history/run-download.service.js');

const { values: flags } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,1000000,10000000' },
    samples: { type: 'string', default: '200' },
    json: { type: 'string' },
  },
});
const SIZES = flags.sizes.split(',').map(Number);
const SAMPLES = Number(flags.samples);
const DAY = 86_400_000;
async function main() {
  process.env.LOG_LEVEL ??= 'error';
  process.env.LOG_FORMAT ??= 'json';
  process.env.PORT ??= '0';
  process.env.ROLES = 'api';
  const folder = mkdtempSync(join(tmpdir(), 'millrace-history-'));
  process.env.DATA_DIR = folder;
  const config = loadConfig();
  const given = config.values.databaseUrl?.reveal();
  const postgres = given ? null : await startEmbeddedPostgres({ dataDir: folder, log: () => undefined });
  const figures = [];
  try {
    for (const runs of SIZES) figures.push(await atSize(given ?? postgres.url, config, runs));
    print(figures);
    if (flags.json) writeFileSync(flags.json, `${JSON.stringify(figures, null, 2)}\n`);
  } finally {
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function atSize(serverUrl, config, runs) {
  const databaseUrl = await freshDatabase(serverUrl, runs);
  await new Migrator(databaseUrl, migrations).up();
  const app = await createApplication({ config, databaseUrl, secretKey: Buffer.alloc(32, 7) });
  await app.listen(0, '127.0.0.1');
  try {
    const db = app.get(Db, { strict: false });
    const account = await signUp(await app.getUrl());
    const began = performance.now();
    const { latest, workspaces } = await fill(db, databaseUrl, { firstWorkspace: account.workspaceId, runs });
    const loadSeconds = Math.round((performance.now() - began) / 1000);
    process.stderr.write(`${runs} runs loaded in ${loadSeconds} s\n`);
    await checkPlans(db, account.workspaceId, runs);
    const history = new RunHistory(db, app.get(Clock, { strict: false }));
    const times = {};
    for (const [name, ask] of questions({ db, history, workspaces, latest })) times[name] = await timed(ask);
    for (const [name, path] of Object.entries(await pathsOf(account, db))) {
      times[name] = await timed(async () => {
        const answer = await fetch(path, { headers: { authorization: `Bearer ${account.token}` } });
        if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
        await answer.arrayBuffer();
      });
    }
    return { runs, loadSeconds, times };
  } finally {
    await app.close();
    await dropDatabase(serverUrl, databaseUrl);
  }
}

async function freshDatabase(serverUrl, runs) {
  if (process.env.DATABASE_URL) return serverUrl;
  const { Client } = require('pg');
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`create database history_${runs}`);
  await client.query(`alter database history_${runs} set plan_cache_mode = force_generic_plan`);
  await client.end();
  return Object.assign(new URL(serverUrl), { pathname: `/history_${runs}` }).href;
}

async function dropDatabase(serverUrl, databaseUrl) {
  if (databaseUrl === serverUrl) return;
  const { Client } = require('pg');
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`drop database ${new URL(databaseUrl).pathname.slice(1)} with (force)`);
  await client.end();
}

async function signUp(url) {
  const answer = await fetch(`${url}/v1/auth/sign-up`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      email: 'bench@example.com',
      password: 'a long enough password',
      acceptTerms: '1.0',
    }),
  });
  const { token } = await answer.json();
  const me = await fetch(`${url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  return { url, token, workspaceId: (await me.json()).workspaces[0].id };
}

const NOTHING = {
  workflowId: null,
  statuses: null,
  triggerKind: null,
  from: null,
  to: null,
  errorCode: null,
  label: null,
};

/** What is asked, each time of another workspace or time: the giant first, the others in turn. */
function questions({ db, history, workspaces, latest }) {
  const [giant, ...others] = workspaces;
  const page = (workspace, filter, beforeId = null) =>
    history.list(workspace.id, { ...NOTHING, ...filter }, { limit: 50, beforeId });
  const small = (n) => others[n % others.length];
  const back = (n, days) => idAt(latest - ((n % 97) / 97) * days * DAY);
  const samples = new Map();
  const someRun = async (n) => {
    if (!samples.has(n % 40)) {
      const [row] = await sql(
        db,
        `select run_id as id from workflow_run_events where workspace_id = $1 and run_id > $2 order by run_id limit 1`,
        giant.id,
        back((n % 40) + 5, 29),
      );
      samples.set(n % 40, row.id);
    }
    return samples.get(n % 40);
  };
  const tenant = (statement, ...params) =>
    db.tenant(giant.id, (tx) => tx.query(statement, giant.id, ...params));
  return Object.entries({
    'first page': () => page(giant, {}),
    'first page, small workspace': (n) => page(small(n), {}),
    'deep page': (n) => page(giant, {}, back(n, 29)),
    'busy workflow': (n) => page(giant, { workflowId: giant.workflows[0] }, back(n, 29)),
    'quiet workflow': () => page(giant, { workflowId: giant.workflows[9] }),
    failed: (n) => page(giant, { statuses: ['failed'] }, back(n, 20)),
    'failed of a workflow': (n) =>
      page(giant, { statuses: ['failed'], workflowId: giant.workflows[0] }, back(n, 20)),
    live: () => page(giant, { statuses: ['queued', 'running', 'waiting'] }),
    'rare error': () => page(giant, { errorCode: 'node.rare' }),
    label: (n) => page(giant, { label: `customer:c${(n * 2) % 1000}` }),
    'label and status': (n) => page(giant, { label: `customer:c${(n * 2) % 1000}`, statuses: ['succeeded'] }),
    'canceled (bounded scan)': (n) => page(giant, { statuses: ['canceled'] }, back(n, 20)),
    'rare trigger (bounded scan, full)': (n) => page(giant, { triggerKind: 'trigger.error' }, back(n, 20)),
    'time range': (n) =>
      page(giant, {
        from: new Date(latest - 20 * DAY - (n % 50) * 3_600_000),
        to: new Date(latest - 19 * DAY),
      }),
    detail: async (n) => tenant(findRun, await someRun(n), null),
    'node runs': async (n) => tenant(listNodeRuns, await someRun(n)),
    events: async (n) => tenant(readEvents, await someRun(n), 0, 200),
  });
}

function idAt(ms) {
  const hex = Math.floor(ms).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

async function pathsOf({ url, workspaceId }, db) {
  const [run] = await sql(
    db,
    `select run_id as id from workflow_run_events where workspace_id = $1 order by run_id desc limit 1`,
    workspaceId,
  );
  const runs = `${url}/v1/workspaces/${workspaceId}/runs`;
  return {
    'HTTP first page': `${runs}?limit=50`,
    'HTTP failed': `${runs}?limit=50&status=failed`,
    'HTTP label': `${runs}?limit=50&label=customer%3Ac2`,
    'HTTP rare trigger': `${runs}?limit=50&trigger=trigger.error`,
    'HTTP detail': `${runs}/${run.id}`,
    'HTTP download': `${runs}/${run.id}/download`,
  };
}

async function timed(ask) {
  for (let n = 0; n < 10; n += 1) await ask(n);
  const times = [];
  for (let n = 0; n < SAMPLES; n += 1) {
    const began = performance.now();
    await ask(n);
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const at = (share) =>
    Number(times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(2));
  return { p50: at(0.5), p99: at(0.99) };
}

/** As requests run them: as the tenant's role, with its policies, for any parameters. */
async function checkPlans(db, workspaceId, runs) {
  const expected = [
    [listRunsBy.workspace, 'workspace_id_id_idx'],
    [listRunsBy.workflow, 'workspace_id_workflow_id_id_idx'],
    [listRunsBy.label, 'workflow_run_labels'],
    [listRunsBy.live, 'run_queue_workspace_id_run_id_idx'],
    [listRunsBy.failed, 'dead_letters_workspace_id_idx'],
    [listRunsBy.failedSo, 'dead_letters_error_code_idx'],
    [findRun, 'workspace_id_id_idx'],
    [listNodeRuns, 'workflow_node_runs'],
    [pageNodeRuns, 'workflow_node_runs'],
    [readEvents, 'workflow_run_events'],
  ];
  const filled = new Set(
    (
      await sql(
        db,
        `select relname as name from pg_class where relkind = 'r' and reltuples > 2000 and relname ~ '^(workflow_run|workflow_node|run_queue|dead)'`,
      )
    ).map(({ name }) => name),
  );
  for (const [{ name, text }, index] of expected) {
    const plan = await db.tenant(workspaceId, async (tx) => {
      await tx.query(inOrder);
      await tx.query({ name: '', text: 'set local enable_partition_pruning = off' });
      await tx.query({ name: '', text: `prepare "plan ${name}" as ${text}` });
      const nulls = Array.from({ length: new Set(text.match(/\$\d+/g)).size }, () => 'null').join(', ');
      const rows = await tx.query({ name: '', text: `explain (costs off) execute "plan ${name}"(${nulls})` });
      await tx.query({ name: '', text: `deallocate "plan ${name}"` });
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
    const whole = [...plan.matchAll(/Seq Scan on (\w+)/g)]
      .map(([, table]) => table)
      .filter((table) => filled.has(table));
    // A small table may well be read whole.
    if (whole.length > 0 || (runs >= 1_000_000 && !plan.includes(index)))
      throw new Error(`${name} reads ${whole.join(', ')}\n${plan}`);
  }
  process.stderr.write(`${expected.length} plans go by their indexes\n`);
}

function print(figures) {
  const names = Object.keys(figures[0].times);
  const width = Math.max(...names.map((name) => name.length));
  const cell = ({ p50, p99 }) => `${p50.toFixed(1).padStart(6)} ${p99.toFixed(1).padStart(7)}`;
  const head = figures.map(({ runs }) => String(runs).padStart(14)).join('  ');
  process.stdout.write(`p50 and p99, ms\n${''.padEnd(width)}${head}\n`);
  for (const name of names) {
    process.stdout.write(
      `${name.padEnd(width)}${figures.map(({ times }) => cell(times[name])).join('  ')}\n`,
    );
  }
}

await main();
process.exit(0);
