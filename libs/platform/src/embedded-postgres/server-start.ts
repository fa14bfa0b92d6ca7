import { closeSync, existsSync, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { chooseAccount } from './account';
import type { PostgresBinaries } from './binaries';
import { type DataFolder, hasCluster, type Passwords, rememberedPort } from './data-folder';
import { EmbeddedPostgresError } from './embedded-postgres-error';
import { findFreePort, isPortFree } from './free-port';
import { initCluster } from './init-cluster';
import { adoptPostmaster, type Postmaster, sendSignal, spawnPostmaster, stopPostmaster } from './postmaster';
import { findOrphans, isAlive, isPostmasterOf, readPostmasterFile } from './server-processes';
import type { PostgresSettings } from './settings';
import { askServer } from './superuser-connection';

const ATTEMPTS = 5;
const RETRY_MS = 300;
const POLL_MS = 25;
const REPORT_EVERY_MS = 10_000;

/** All that a start of the server in a folder depends on. The caller holds the folder's lock. */
export interface ServerStart {
  readonly folder: DataFolder;
  readonly binaries: PostgresBinaries;
  readonly passwords: Passwords;
  readonly settings: PostgresSettings;
  /** The port it has to be; undefined leaves the choice to us. */
  readonly port: number | undefined;
  readonly log: (message: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Gives a server that answers: the one that a killed Millrace left behind, or a new one on the existing cluster, or on a
 * new cluster.
 */
export async function startServer(start: ServerStart): Promise<Postmaster> {
  const exists = hasCluster(start.folder);
  if (exists) {
    const left = await takeOver(start);
    if (left !== undefined) return left;
  }
  for (let attempt = 1; ; attempt += 1) {
    const server = await tryToStart(start);
    if (server !== undefined) return server;
    start.signal.throwIfAborted();
    if (attempt === ATTEMPTS) {
      throw new EmbeddedPostgresError(
        `PostgreSQL did not start in ${start.folder.path}; its log ${start.folder.log} ends with: ${lastLine(start.folder.log)}`,
      );
    }
    await delay(attempt * RETRY_MS, undefined, { signal: start.signal });
  }
}

/** The server that a killed Millrace left running. One that is about to stop is waited for, and not taken. */
async function takeOver(start: ServerStart): Promise<Postmaster | undefined> {
  const { folder, log } = start;
  const found = readPostmasterFile(folder.cluster);
  if (found === undefined) return undefined;
  if (!isPostmasterOf(found.pid, folder.cluster)) {
    // PostgreSQL overwrites the file of a process that is gone, but takes a stranger with the same number (the rule
    // rather than the exception after a container's restart) for a running server and gives up.
    if (isAlive(found.pid)) rmSync(join(folder.cluster, 'postmaster.pid'), { force: true });
    return undefined;
  }
  const server = adoptPostmaster(found.pid, found.port, folder.cluster);
  if (start.port !== undefined && start.port !== found.port) {
    log(`A PostgreSQL left behind (process ${found.pid}) has another port: restarting it.`);
    await stopPostmaster(server, log);
    return undefined;
  }
  if (!(await takesUs(server, start))) return undefined;
  log(`Took over the PostgreSQL left behind by an earlier Millrace (process ${found.pid}).`);
  return server;
}

/** A start that is called off while it waits for the old server leaves that one no more behind than a new one. */
async function takesUs(server: Postmaster, start: ServerStart): Promise<boolean> {
  try {
    return await becomesReady(server, start);
  } catch (error) {
    if (start.signal.aborted) await stopPostmaster(server, start.log);
    throw error;
  }
}

/** One attempt. Undefined means that the server ended before it answered, which is worth another attempt. */
async function tryToStart(start: ServerStart): Promise<Postmaster | undefined> {
  const { folder, binaries, passwords, settings, signal } = start;
  const account = chooseAccount(binaries, folder);
  if (!existsSync(folder.cluster)) {
    start.log(`Making a new PostgreSQL database in ${folder.path}.`);
    await initCluster(folder, { binaries, account, passwords, signal });
  }
  const port = await choosePort(start);
  for (const pid of findOrphans(folder.clusterName)) sendSignal(pid, 'SIGQUIT');
  signal.throwIfAborted();
  const place = { cluster: folder.cluster, clusterName: folder.clusterName, port };
  const server = await spawnPostmaster(place, {
    postgres: binaries.postgres,
    account,
    settings,
    log: folder.log,
  });
  try {
    return (await becomesReady(server, start)) ? server : undefined;
  } catch (error) {
    await stopPostmaster(server, start.log);
    throw error;
  }
}

async function choosePort(start: ServerStart): Promise<number> {
  if (start.port === undefined) return findFreePort(rememberedPort(start.folder));
  if (await isPortFree(start.port)) return start.port;
  throw new EmbeddedPostgresError(
    `The port ${start.port} of 127.0.0.1, meant for PostgreSQL, is taken by another program.`,
  );
}

/**
 * Waits as long as the server lives: replaying a long log after a crash takes its time and must not be cut short. False
 * if it ended instead.
 */
async function becomesReady(server: Postmaster, start: ServerStart): Promise<boolean> {
  const { folder, passwords, signal, log } = start;
  for (let waitedMs = 0; server.isRunning(); waitedMs += POLL_MS) {
    const answer = await askServer(server.port, passwords.superuser, folder.cluster);
    if (answer === 'ready') return true;
    if (answer === 'refused') await rejectStranger(server, folder);
    if (waitedMs > 0 && waitedMs % REPORT_EVERY_MS === 0) {
      log(`PostgreSQL (process ${server.pid}) is still recovering or stopping: waiting for it.`);
    }
    await delay(POLL_MS, undefined, { signal });
  }
  return false;
}

/** Another server may have taken the port between our look and our start: then ours ends at once and is tried again. */
async function rejectStranger(server: Postmaster, folder: DataFolder): Promise<void> {
  await Promise.race([server.ended, delay(1_000)]);
  if (!server.isRunning()) return;
  throw new EmbeddedPostgresError(
    `The PostgreSQL on port ${server.port} does not accept the password in ${folder.passwordsFile}: restore that file.`,
  );
}

/** The end of a log, for a message: only the last lines are read, however long it is. */
function lastLine(file: string): string {
  if (!existsSync(file)) return '(empty)';
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const tail = Buffer.alloc(Math.min(size, 4_096));
    readSync(descriptor, tail, 0, tail.length, size - tail.length);
    const lines = tail.toString('utf8').trim().split('\n');
    // The reason stands in the last FATAL line; what follows it is only the farewell.
    return lines.findLast((line) => line.includes('FATAL')) ?? lines.at(-1) ?? '(empty)';
  } finally {
    closeSync(descriptor);
  }
}
