import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres, THROWAWAY_SETTINGS } from '../embedded-postgres';

/** Where test files find the server of their run. */
const URL_VARIABLE = 'MILLRACE_TEST_DATABASE_URL';

/** Waits for the end of its input, which comes with the end of the test run, and then removes the server and its folder. */
const CLEANER = `
cat > /dev/null
file="$0/postgres/cluster/postmaster.pid"
pid="$(head -n 1 "$file")"
[ -n "$pid" ] && kill -QUIT "$pid"
while [ -e "$file" ] && kill -0 "$pid"; do sleep 0.1; done
rm -rf "$0"
`;

interface TestServer {
  readonly folder: string;
  readonly postgres: EmbeddedPostgres;
  readonly cleaner: ChildProcess;
}

let running: TestServer | undefined;

/**
 * Gives the test run a PostgreSQL: the one TEST_DATABASE_URL or DATABASE_URL names (its user needs CREATEDB and
 * CREATEROLE; the tests touch only databases of their own), or an embedded one that lives as long as the run.
 */
export async function startTestServer(): Promise<void> {
  const given = process.env['TEST_DATABASE_URL'] || process.env['DATABASE_URL'];
  running = given ? undefined : await startThrowawayServer();
  process.env[URL_VARIABLE] = given || running?.postgres.url;
}

/** Stops the server that `startTestServer` started, if it did, and removes its data. */
export async function stopTestServer(): Promise<void> {
  if (running === undefined) return;
  const { postgres, cleaner, folder } = running;
  running = undefined;
  await postgres.stop();
  cleaner.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

async function startThrowawayServer(): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  // For root, whose server runs as another user.
  chmodSync(folder, 0o711);
  const cleaner = startCleaner(folder);
  const postgres = await startEmbeddedPostgres({
    dataDir: join(folder, 'postgres'),
    settings: THROWAWAY_SETTINGS,
    log: () => undefined,
    onExit: ({ pid, reason }) => console.error(`The test server (process ${pid}) ended: ${reason}.`),
  });
  return { folder, postgres, cleaner };
}

/**
 * A run that is killed or interrupted (Ctrl-C) has no teardown. A process of its own cleans up after it: it holds the
 * other end of a pipe that the kernel closes with the run, however that ends.
 */
function startCleaner(folder: string): ChildProcess {
  const cleaner = spawn('/bin/sh', ['-c', CLEANER, folder], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  cleaner.unref();
  return cleaner;
}
