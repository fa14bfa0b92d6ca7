import { THROWAWAY_SETTINGS } from '../embedded-postgres';
import { startTemporaryServer, type TemporaryServer } from './temporary-server';

/** Where test files find the server of their run. */
const URL_VARIABLE = 'MILLRACE_TEST_DATABASE_URL';

let running: TemporaryServer | undefined;

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
  const server = running;
  running = undefined;
  await server?.stop();
}

function startThrowawayServer(): Promise<TemporaryServer> {
  return startTemporaryServer('millrace-test', {
    settings: THROWAWAY_SETTINGS,
    onExit: ({ pid, reason }) => console.error(`The test server (process ${pid}) ended: ${reason}.`),
  });
}
