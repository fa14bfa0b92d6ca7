// Webhooks: how many calls per second one process (role `api`) accepts over HTTP, each stored with its run, with PostgreSQL
// at its durable defaults. The callers are a process of their own.
//
//   npm run build && node bench/hooks.mjs [--calls 20000] [--rounds 3] [--connections 200] [--kind plain|signed|deduped]
import { fork } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: {
    calls: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '200' },
    kind: { type: 'string', default: 'plain' },
  },
});
const SECRET = 'a-secret-of-the-bench';
const PARAMS = {
  plain: {},
  signed: { verification: { preset: 'github' } },
  deduped: { dedupe: { by: 'header', header: 'x-id' } },
};

/** Sends calls over some connections; each goes on as soon as it is answered. */
async function load({ url, calls, connections, round }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  let next = 0;
  const statuses = {};
  const one = (n) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify({ round, n, text: 'x'.repeat(500) });
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'x-id': `${round}-${n}`,
        'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
      };
      const sending = http.request(url, { method: 'POST', agent, headers }, (answer) => {
        statuses[answer.statusCode] = (statuses[answer.statusCode] ?? 0) + 1;
        answer.resume().once('end', resolve);
      });
      sending.once('error', reject).end(body);
    });
  const began = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < calls) await one(next++);
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  agent.destroy();
  return { calls, acceptedPerSecond: Math.round(calls / seconds), statuses };
}

async function main() {
  const require = createRequire(import.meta.url);
  require('reflect-metadata');
  const dist = (path) => require(`../dist/${path}`);
  const { loadConfig, Migrator, startEmbeddedPostgres } = dist('libs/platform/src/index.js');
  const { migrations } = dist('migrations/index.js');
  const { createApplication } = dist('apps/api/src/application.js');
  const folder = mkdtempSync(join(tmpdir(), 'millrace-hooks-'));
  Object.assign(process.env, { LOG_LEVEL: 'warn', PORT: '0', DATA_DIR: folder, ROLES: 'api' });
  const config = loadConfig();
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log: () => undefined });
  await new Migrator(postgres.url, migrations).up();
  const app = await createApplication({ config, databaseUrl: postgres.url, secretKey: Buffer.alloc(32, 7) });
  await app.listen(0, '127.0.0.1');
  try {
    const url = await aHook(await app.getUrl());
    for (let round = 0; round <= Number(flags.rounds); round += 1) {
      const calls = round === 0 ? 2_000 : Number(flags.calls);
      const cpu = process.cpuUsage();
      const figures = await elsewhere({ url, calls, connections: Number(flags.connections), round });
      const used = process.cpuUsage(cpu);
      const cpuMicrosPerCall = Math.round((used.user + used.system) / calls);
      // The first one warms caches and plans.
      if (round > 0)
        process.stdout.write(`${JSON.stringify({ kind: flags.kind, ...figures, cpuMicrosPerCall })}\n`);
    }
  } finally {
    await app.close();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function aHook(api) {
  const session = {};
  const send = async (method, path, body) => {
    const headers = {
      'content-type': 'application/json',
      ...(session.token && { authorization: `Bearer ${session.token}` }),
    };
    const answer = await fetch(api + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const email = `bench-${Date.now()}@example.com`;
  const signUp = { email, password: 'a long enough password', acceptTerms: '1.0' };
  Object.assign(session, await send('POST', '/v1/auth/sign-up', signUp));
  const { workspaces } = await send('GET', '/v1/me');
  const base = `/v1/workspaces/${workspaces[0].id}/workflows`;
  const definition = {
    nodes: [{ id: 'hook', type: 'trigger.webhook', params: PARAMS[flags.kind] }],
    edges: [],
  };
  const { id } = await send('POST', base, { name: 'hooks', definition });
  await send('POST', `${base}/${id}/publish`, {});
  const [hook] = (await send('GET', `${base}/${id}/hooks`)).data;
  await send('PUT', `${base}/${id}/hooks/${hook.id}/secrets/signing`, { value: SECRET });
  return api + new URL(hook.url).pathname;
}

function elsewhere(order) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
      env: { ...process.env, BENCH_LOAD: '1' },
    });
    child.once('message', resolve).once('error', reject);
    child.send(order);
  });
}

if (process.env.BENCH_LOAD === '1') {
  process.once('message', async (order) => {
    process.send(await load(order));
    process.disconnect();
  });
} else {
  await main();
  process.exit(0);
}
