import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from './embedded-postgres-error';

/** What a running server writes into `postmaster.pid`, as far as we need it. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
}

/** Reads the lines of a `postmaster.pid`: process, data folder, start time, port. Undefined for anything else. */
export function parsePostmasterFile(text: string): PostmasterFile | undefined {
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  // A single-user server writes its process id negated: nobody can connect to that.
  if (!Number.isInteger(pid) || pid <= 1 || !Number.isInteger(port) || port <= 0) return undefined;
  return { pid, port };
}

/** The `postmaster.pid` of a cluster: undefined if there is none that makes sense. */
export function readPostmasterFile(cluster: string): PostmasterFile | undefined {
  const text = readIfThere(join(cluster, 'postmaster.pid'));
  return text === undefined ? undefined : parsePostmasterFile(text);
}

/** True while a process of this number exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/**
 * True if this process is the postmaster of the cluster and not another one that was given its number since. The
 * postmaster keeps the command line it was started with, which everyone may read (its working folder in /proc, a
 * shorter way, is closed to a root without all capabilities, as in a container).
 */
export function isPostmasterOf(pid: number, cluster: string): boolean {
  return isAlive(pid) && `${commandLineOf(pid)} `.includes(` -D ${cluster} `);
}

/** The arguments joined by blanks, or an empty text for a process that is gone. */
function commandLineOf(pid: number): string {
  if (process.platform === 'linux') {
    return (readIfThere(`/proc/${pid}/cmdline`) ?? '').split('\0').join(' ').trimEnd();
  }
  try {
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).trimEnd();
  } catch {
    return '';
  }
}

/**
 * Server processes of the cluster whose postmaster was killed. One that is busy with a long statement does not notice for
 * as long, and no new server may start beside it. (On Linux only; elsewhere the start is tried again until they are gone.)
 */
export function findOrphans(clusterName: string): readonly number[] {
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter(
    (pid) =>
      commandLineOf(pid).startsWith(`postgres: ${clusterName}: `) &&
      !commandLineOf(parentOf(pid)).includes('postgres'),
  );
}

/** The fourth field of /proc/<pid>/stat; the second, the program's name in parentheses, may hold blanks itself. */
function parentOf(pid: number): number {
  const stat = readIfThere(`/proc/${pid}/stat`) ?? '';
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return undefined;
    throw error;
  }
}
