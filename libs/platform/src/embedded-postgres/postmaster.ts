import { spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Account, commandAs } from './account';
import { isPostmasterOf } from './server-processes';
import { type PostgresSettings, serverArguments, type ServerPlace } from './settings';

const MAX_LOG_BYTES = 10 * 1024 * 1024;
const ADOPTED_POLL_MS = 250;
const FAST_SHUTDOWN_MS = 10_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;

/** A server process: one that we started, or one that we found and took over. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Settles when the process has ended, with what is known of the reason ("exit code 1", "SIGKILL"). */
  readonly ended: Promise<string>;
  isRunning(): boolean;
}

/** What starts a server beside its place. */
export interface SpawnOptions {
  readonly postgres: string;
  readonly account: Account;
  readonly settings: PostgresSettings;
  readonly log: string;
}

/**
 * Starts a server in a process group of its own: a Ctrl-C in the terminal reaches Millrace alone, which still has work to
 * finish and needs its database for that.
 */
export async function spawnPostmaster(place: ServerPlace, options: SpawnOptions): Promise<Postmaster> {
  const run = commandAs(options.account, options.postgres, serverArguments(place, options.settings));
  const log = openLog(options.log);
  try {
    const child = spawn(run.command, run.args, {
      ...run.options,
      detached: true,
      stdio: ['ignore', log, log],
    });
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    const { pid } = child;
    if (pid === undefined) throw new Error(`${run.command} did not start`);
    return {
      pid,
      port: place.port,
      ended,
      isRunning: () => child.exitCode === null && child.signalCode === null,
    };
  } finally {
    closeSync(log);
  }
}

/** A file that only grows would fill the disk one day: one former log of up to 10 MB is kept beside the current one. */
function openLog(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}

/** Watches a server that is not our child, and whose end therefore is not told to us. */
export function adoptPostmaster(pid: number, port: number, cluster: string): Postmaster {
  const isRunning = () => isPostmasterOf(pid, cluster);
  const watch = async (): Promise<string> => {
    while (isRunning()) await delay(ADOPTED_POLL_MS, undefined, { ref: false });
    return 'reason unknown, since it was started by an earlier Millrace';
  };
  return { pid, port, ended: watch(), isRunning };
}

/**
 * Ends a server: first politely (open transactions are rolled back, everything is written), after ten seconds without
 * (the next start recovers), and at last by force.
 */
export async function stopPostmaster(postmaster: Postmaster, log: (message: string) => void): Promise<void> {
  if (await endsOn(postmaster, 'SIGINT', FAST_SHUTDOWN_MS)) return;
  log(
    `PostgreSQL (process ${postmaster.pid}) did not stop within ${FAST_SHUTDOWN_MS / 1000} s: stopping it at once.`,
  );
  if (await endsOn(postmaster, 'SIGQUIT', IMMEDIATE_SHUTDOWN_MS)) return;
  await endsOn(postmaster, 'SIGKILL', IMMEDIATE_SHUTDOWN_MS);
}

async function endsOn(postmaster: Postmaster, signal: NodeJS.Signals, withinMs: number): Promise<boolean> {
  if (!postmaster.isRunning()) return true;
  sendSignal(postmaster.pid, signal);
  const timer = new AbortController();
  const timeout = delay(withinMs, false, { signal: timer.signal }).catch(() => false);
  const ended = await Promise.race([postmaster.ended.then(() => true), timeout]);
  timer.abort();
  return ended;
}

/** A process that has just gone needs no signal any more. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Whether it ended is seen from the process, not from this call.
  }
}
