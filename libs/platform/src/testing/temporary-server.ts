import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../embedded-postgres';

type ServerOptions = Pick<Parameters<typeof startEmbeddedPostgres>[0], 'settings' | 'onExit'>;

/** A PostgreSQL in a temporary folder, which goes with whoever started it, however that ends. */
export interface TemporaryServer {
  /** For whatever else belongs to the server's life. */
  readonly folder: string;
  readonly postgres: EmbeddedPostgres;
  /** Stops the server and removes its folder. */
  stop(): Promise<void>;
}

/** Waits for the end of its input, which comes with the end of its starter, and then removes the server and its folder. */
const CLEANER = `
cat > /dev/null
file="$0/postgres/cluster/postmaster.pid"
pid="$(head -n 1 "$file")"
[ -n "$pid" ] && kill -QUIT "$pid"
while [ -e "$file" ] && kill -0 "$pid"; do sleep 0.1; done
rm -rf "$0"
`;

/** Starts one. `name` begins the folder's name, so that what is found in /tmp can be told. */
export async function startTemporaryServer(name: string, options: ServerOptions): Promise<TemporaryServer> {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  // For root, whose server runs as another user.
  chmodSync(folder, 0o711);
  const cleaner = startCleaner(folder);
  const postgres = await startEmbeddedPostgres({
    ...options,
    dataDir: join(folder, 'postgres'),
    log: () => undefined,
  });
  const stop = async (): Promise<void> => {
    await postgres.stop();
    cleaner.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  return { folder, postgres, stop };
}

/**
 * Whoever is killed or interrupted (Ctrl-C) has no teardown. A process of its own cleans up after it: it holds the
 * other end of a pipe that the kernel closes with its starter, however that ends.
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
