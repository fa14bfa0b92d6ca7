// Drain rate: how many durable runs of three nodes one process accepts and finishes per second, on the real path
// (tenancy, quota counter, fair turns, fencing, history and events all on) with PostgreSQL at its durable defaults.
//
//   npm run build && node bench/drain.mjs [--runs 10000] [--rounds 3]
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
const { Engine } = dist('libs/workflows/src/engine/engine.js');

const { values: flags } = parseArgs({
  options: { runs: { type: 'string', default: '10000' }, rounds: { type: 'string', default: '3' } },
});
const RUNS = Number(flags.runs);
const ROUNDS = Number(flags.rounds);

const definition = {
  nodes: [
    { id: 'start', type: 'trigger.manual' },
    { id: 'double', type: 'set', params: { values: { n: '{{ trigger.n }}', label: 'run {{ trigger.n }}' } } },
    { id: 'check', type: 'set', params: { values: { same: '{{ nodes.double.n }}' } } },
  ],
  edges: [
    { from: 'start', to: 'double' },
    { from: 'double', to: 'check' },
  ],
};

async function main() {
  process.env.LOG_LEVEL ??= 'warn';
  process.env.LOG_FORMAT ??= 'json';
  process.env.PORT ??= '0';
  const folder = mkdtempSync(join(tmpdir(), 'millrace-drain-'));
  process.env.DATA_DIR = folder;
  const config = loadConfig();
  const given = config.values.databaseUrl?.reveal();
  const postgres = given ? null : await startEmbeddedPostgres({ dataDir: folder, log: () => undefined });
  const databaseUrl = given ?? postgres.url;
  await new Migrator(databaseUrl, migrations).up();
  const app = await createApplication({ config, databaseUrl, secretKey: Buffer.alloc(32, 7) });
  await app.listen(0, '127.0.0.1');
  try {
    const published = await publish(await app.getUrl());
    const engine = app.get(Engine, { strict: false });
    const db = app.get(Db, { strict: false });
    await round({ engine, db, published, runs: Math.min(RUNS, 2_000) }); // Warms caches and plans.
    const rates = [];
    for (let index = 0; index < ROUNDS; index += 1)
      rates.push(await round({ engine, db, published, runs: RUNS }));
    report(rates);
  } finally {
    await app.close();
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function publish(url) {
  const call = async (path, body, token) => {
    const headers = {
      'content-type': 'application/json',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    };
    const answer = await fetch(url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const email = `bench-${Date.now()}@example.com`;
  const { token } = await call('/v1/auth/sign-up', {
    email,
    password: 'a long enough password',
    acceptTerms: '1.0',
  });
  const { workspaces } = await call('/v1/me', undefined, token);
  const workspaceId = workspaces[0].id;
  const base = `/v1/workspaces/${workspaceId}/workflows`;
  const workflow = await call(base, { name: `drain ${Date.now()}`, definition }, token);
  const version = await call(`${base}/${workflow.id}/publish`, {}, token);
  return { workspaceId, workflowId: workflow.id, versionId: version.id };
}

async function round({ engine, db, published, runs }) {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const accepted = await Promise.all(
    Array.from({ length: runs }, (_, n) =>
      engine.start({
        ...published,
        triggerNode: 'start',
        triggerKind: 'trigger.manual',
        startedBy: 'user:bench',
        input: JSON.stringify({ n }),
        idempotency: null,
      }),
    ),
  );
  const acceptedAt = performance.now();
  const runIds = accepted.map(({ runId }) => runId).toSorted((a, b) => (a < b ? -1 : 1));
  for (;;) {
    const [left] = await db.executeControl({
      name: 'bench-left',
      text: 'select count(*)::int as n from run_queue',
    });
    if (left.n === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const ended = performance.now();
  const used = process.cpuUsage(cpu);
  const [{ n: succeeded }] = await db.executeControl(
    {
      name: 'bench-succeeded',
      text: `select count(*)::int as n from workflow_runs where id between $1 and $2 and outcome = 'succeeded'`,
    },
    runIds[0],
    runIds.at(-1),
  );
  if (succeeded !== runs) throw new Error(`${succeeded} of ${runs} runs succeeded.`);
  const figures = {
    runs,
    acceptedPerSecond: Math.round((runs / (acceptedAt - began)) * 1000),
    endToEndPerSecond: Math.round((runs / (ended - began)) * 1000),
    cpuMicrosPerRun: Math.round((used.user + used.system) / runs),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  return figures;
}

function report(rates) {
  const sorted = rates.map(({ endToEndPerSecond }) => endToEndPerSecond).toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  process.stdout.write(
    `drain rate, median of ${rates.length}: ${median} runs/s (three nodes, accept included)\n`,
  );
}

await main();
process.exit(0);
