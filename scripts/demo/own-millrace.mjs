// A Millrace of the demo's own: on a free port, with its data in a temporary folder that is removed in the end. It knows
// nothing of the environment's DATABASE_URL or of a Millrace that runs beside it.
import { spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MAIN = resolve(import.meta.dirname, '../../dist/apps/api/src/main.js');
/** Making a database takes seconds on a slow disk. */
const START_TIMEOUT_MS = 90_000;
/** Longer than the server's own time to drain. */
const STOP_TIMEOUT_MS = 40_000;
/** What a program needs to run at all; everything else in the environment could change what the demo shows. */
const KEPT = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'SystemRoot', 'TEMP'];

/**
 * Starts the server: `{url, ready, stop}`. `ready` resolves when it takes requests, and rejects with the end of its log
 * when it does not start; `stop` may be called at any time.
 */
export async function spawnOwnMillrace() {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-demo-'));
  // The database server may have to run as another user, who must get in.
  chmodSync(folder, 0o755);
  const logFile = join(folder, 'millrace.log');
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, [MAIN], {
    env: { ...keptEnvironment(), ...settings(folder, port) },
    // Its own group: Ctrl-C reaches the demo alone, which then stops the server.
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ended = new Promise((done) => {
    child.once('error', done);
    child.once('exit', done);
  });
  const url = `http://localhost:${port}`;
  return { url, ready: () => untilReady(url, ended, logFile), stop: () => stopped(child, ended, folder) };
}

async function stopped(child, ended, folder) {
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(killer);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

async function untilReady(url, ended, logFile) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  while (!hasEnded && Date.now() < deadline) {
    const answer = await fetch(`${url}/health/ready`).catch(() => null);
    if (answer?.ok) return;
    await sleep(200);
  }
  const lastLines = readFileSync(logFile, 'utf8').trim().split('\n').slice(-8).join('\n');
  throw new Error(`The demo's own Millrace did not start. Its log ends with:\n${lastLines}`);
}

function keptEnvironment() {
  return Object.fromEntries(KEPT.flatMap((name) => (name in process.env ? [[name, process.env[name]]] : [])));
}

function settings(folder, port) {
  return {
    DATA_DIR: join(folder, 'data'),
    PORT: String(port),
    LOG_LEVEL: 'warn',
    // The receiver of the demo's one HTTP call is this machine. Without this the call is refused.
    EGRESS_ALLOW_PRIVATE: '127.0.0.0/8',
  };
}

function freePort() {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}
