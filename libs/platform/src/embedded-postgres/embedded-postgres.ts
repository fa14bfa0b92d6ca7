import { setTimeout as delay } from 'node:timers/promises';
import { locatePostgresBinaries } from './binaries';
import {
  type DataFolder,
  hasCluster,
  openDataFolder,
  readOrMakePasswords,
  rememberPort,
} from './data-folder';
import { asEmbeddedPostgresError, EmbeddedPostgresError } from './embedded-postgres-error';
import { type FolderLock, lockFolder } from './folder-lock';
import { type Postmaster, stopPostmaster } from './postmaster';
import { type ServerStart, startServer } from './server-start';
import type { PostgresSettings } from './settings';
import { applicationUrl, ensureApplicationDatabase, superuserUrl } from './superuser-connection';

const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 10_000;

/** What an embedded PostgreSQL is started with. */
export interface EmbeddedPostgresOptions {
  /** The folder that holds everything, made if missing. Relative paths count from the working folder. */
  readonly dataDir: string;
  /** The port of 127.0.0.1. By default the one of the last start, or any free one. */
  readonly port?: number | undefined;
  /** Changes to the default settings of a single node. */
  readonly settings?: PostgresSettings | undefined;
  /** Takes one sentence per event worth a line. */
  readonly log: (message: string) => void;
  /** Called when the server ends without having been asked to. It is restarted in any case. */
  readonly onExit?: ((exit: ServerExit) => void) | undefined;
  /** Ends a start that is under way: nothing is left behind, and the start throws. */
  readonly signal?: AbortSignal | undefined;
}

/** The unasked end of a server. */
export interface ServerExit {
  readonly pid: number;
  /** What is known of it: "exit code 1", "SIGKILL". */
  readonly reason: string;
}

/** A running PostgreSQL that belongs to this process. */
export interface EmbeddedPostgres {
  /** The application's own address: the role `millrace` (no superuser), the database `millrace`. */
  readonly url: string;
  /** The superuser's address, for maintenance. */
  readonly adminUrl: string;
  /** The server process; another one after a restart. The port stays. */
  readonly pid: number;
  /** Stops the server and lets go of the folder. May be called any number of times. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL in a data folder, or takes over the one that a killed Millrace left running there, and keeps it
 * running until `stop()`. Throws `EmbeddedPostgresError`, whose message is one sentence for the user.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  let lock: FolderLock | undefined;
  const stopping = new AbortController();
  const signal = AbortSignal.any([
    stopping.signal,
    ...(options.signal === undefined ? [] : [options.signal]),
  ]);
  try {
    const binaries = locatePostgresBinaries();
    const folder = openDataFolder(options.dataDir);
    lock = await lockFolder(folder.lock, folder.path);
    const passwords = readOrMakePasswords(folder);
    const { log, port, settings = {} } = options;
    const start: ServerStart = { folder, binaries, passwords, settings, port, log, signal };
    const server = await startAndPrepare(start);
    return new Supervisor(
      { ...start, port: server.port, signal: stopping.signal },
      {
        server,
        lock,
        stopping,
        onExit: options.onExit,
      },
    );
  } catch (error) {
    await lock?.release();
    if (signal.aborted) {
      throw new EmbeddedPostgresError('The start of the embedded PostgreSQL was interrupted.', {
        cause: error,
      });
    }
    throw asEmbeddedPostgresError(error, options.dataDir);
  }
}

async function startAndPrepare(start: ServerStart): Promise<Postmaster> {
  const server = await startServer(start);
  try {
    rememberPort(start.folder, server.port);
    await ensureApplicationDatabase(server.port, start.passwords);
    start.signal.throwIfAborted();
    return server;
  } catch (error) {
    await stopPostmaster(server, start.log);
    throw error;
  }
}

interface Supervised {
  readonly server: Postmaster;
  readonly lock: FolderLock;
  readonly stopping: AbortController;
  readonly onExit: ((exit: ServerExit) => void) | undefined;
}

/** Restarts the server whenever it ends, until it is told to stop. */
class Supervisor implements EmbeddedPostgres {
  readonly url: string;
  readonly adminUrl: string;
  readonly #start: ServerStart;
  readonly #supervised: Supervised;
  readonly #watching: Promise<void>;
  #server: Postmaster;
  #stopped: Promise<void> | undefined;

  constructor(start: ServerStart, supervised: Supervised) {
    this.#start = start;
    this.#supervised = supervised;
    this.#server = supervised.server;
    this.url = applicationUrl(this.#server.port, start.passwords.application);
    this.adminUrl = superuserUrl(this.#server.port, start.passwords.superuser);
    this.#watching = this.#watch();
  }

  get pid(): number {
    return this.#server.pid;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopOnce();
    return this.#stopped;
  }

  async #stopOnce(): Promise<void> {
    this.#supervised.stopping.abort();
    await stopPostmaster(this.#server, this.#start.log);
    // A restart that was under way ends by the abort above, together with the server it may have started.
    await this.#watching;
    await this.#supervised.lock.release();
  }

  async #watch(): Promise<void> {
    const { log, signal } = this.#start;
    for (;;) {
      const { pid, ended } = this.#server;
      const reason = await ended;
      if (signal.aborted) return;
      log(`PostgreSQL (process ${pid}) ended unexpectedly (${reason}): restarting it.`);
      this.#supervised.onExit?.({ pid, reason });
      const server = await this.#restart();
      if (server === undefined) return;
      this.#server = server;
      log(`PostgreSQL is back (process ${server.pid}).`);
    }
  }

  /** Tries without end, ever more slowly: what hinders it (a full disk) may be put right by somebody. */
  async #restart(): Promise<Postmaster | undefined> {
    const { log, signal, folder } = this.#start;
    for (let waitMs = FIRST_RESTART_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_RESTART_MS)) {
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
      try {
        return await this.#startAgain(folder);
      } catch (error) {
        if (signal.aborted) return undefined;
        log(asEmbeddedPostgresError(error, folder.path).message);
      }
    }
  }

  /** A cluster that has vanished is not replaced by an empty one: that is for a person to decide. */
  async #startAgain(folder: DataFolder): Promise<Postmaster> {
    if (!hasCluster(folder)) {
      throw new EmbeddedPostgresError(
        `The cluster ${folder.cluster} has been removed while Millrace was running.`,
      );
    }
    return startAndPrepare(this.#start);
  }
}
