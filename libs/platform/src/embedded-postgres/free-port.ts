import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { EmbeddedPostgresError } from './embedded-postgres-error';

// Below the ports that kernels hand to outgoing connections (32768 and up on Linux, 49152 and up on macOS): one of those
// would often be taken by a passing connection just when the server comes back after a crash.
const LOWEST = 20_000;
const HIGHEST = 30_000;
const ATTEMPTS = 100;

/** True if nobody listens on this port of 127.0.0.1 at this moment. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)));
  });
}

/** The preferred port if it is free, or else any free one. */
export async function findFreePort(preferred: number | undefined): Promise<number> {
  if (preferred !== undefined && (await isPortFree(preferred))) return preferred;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isPortFree(port)) return port;
  }
  throw new EmbeddedPostgresError(
    `None of ${ATTEMPTS} ports tried between ${LOWEST} and ${HIGHEST} of 127.0.0.1 is free for PostgreSQL.`,
  );
}
