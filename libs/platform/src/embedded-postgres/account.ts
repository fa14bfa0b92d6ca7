import { spawnSync } from 'node:child_process';
import { lchownSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresBinaries } from './binaries';
import type { DataFolder } from './data-folder';
import { EmbeddedPostgresError } from './embedded-postgres-error';

/** The unprivileged user `nobody`, by number since a container may lack the name. */
const NOBODY = 65_534;

const UNSHARE = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`] as const;

/** As whom PostgreSQL, which refuses to run as root, is run. */
export interface Account {
  /** A command that is put before PostgreSQL's own. */
  readonly prefix: readonly string[];
  /** Whom to become, and who owns the cluster. Absent: ourselves. */
  readonly identity?: { readonly uid: number; readonly gid: number };
}

/**
 * An ordinary user runs PostgreSQL directly. Root runs it as the owner of the cluster (`nobody` for a new one) if that
 * user can reach the binaries and the data folder; if it cannot (a checkout under /root), in a user namespace, in which
 * root's own files are those of an ordinary user. The cluster is given to whoever runs it.
 */
export function chooseAccount(binaries: PostgresBinaries, folder: DataFolder): Account {
  const uid = process.getuid?.();
  const owner = statSync(folder.cluster, { throwIfNoEntry: false });
  if (uid !== 0) {
    if (owner !== undefined && uid !== undefined && owner.uid !== uid) {
      throw new EmbeddedPostgresError(
        `The data folder ${folder.path} belongs to another user (uid ${owner.uid}): start Millrace as that user, or choose another data folder.`,
      );
    }
    return { prefix: [] };
  }
  const identity =
    owner === undefined || owner.uid === 0
      ? { uid: NOBODY, gid: NOBODY }
      : { uid: owner.uid, gid: owner.gid };
  if (canReach(identity, binaries, folder)) {
    if (owner?.uid === 0) giveTree(folder.cluster, identity);
    return { prefix: [], identity };
  }
  if (canUnshare(binaries)) {
    if (owner !== undefined && owner.uid !== 0) giveTree(folder.cluster, { uid: 0, gid: 0 });
    return { prefix: UNSHARE };
  }
  throw new EmbeddedPostgresError(
    `PostgreSQL does not run as root, and uid ${identity.uid} cannot reach ${binaries.postgres} or ${folder.path}: start Millrace as an ordinary user, move it to a folder that others may enter, or set DATABASE_URL.`,
  );
}

/** Finds out by doing, since permissions come from modes, access lists and mount options of a whole path. */
function canReach(
  identity: { uid: number; gid: number },
  binaries: PostgresBinaries,
  folder: DataFolder,
): boolean {
  const check = ['-c', '"$0" --version && test -x "$1"', binaries.postgres, folder.path];
  return spawnSync('/bin/sh', check, { ...identity, cwd: '/', stdio: 'ignore' }).status === 0;
}

/** Some containers forbid user namespaces, some systems have no `unshare`. */
function canUnshare(binaries: PostgresBinaries): boolean {
  const [command, ...args] = UNSHARE;
  return (
    spawnSync(command, [...args, binaries.postgres, '--version'], { cwd: '/', stdio: 'ignore' }).status === 0
  );
}

/** Gives a folder with all it holds to a user. Links inside (a moved pg_wal) are given themselves, not their targets. */
function giveTree(path: string, identity: { readonly uid: number; readonly gid: number }): void {
  lchownSync(path, identity.uid, identity.gid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) giveTree(child, identity);
    else lchownSync(child, identity.uid, identity.gid);
  }
}

/** The command line and the spawn options that run `program` as the account, in a clean environment. */
export function commandAs(account: Account, program: string, args: readonly string[]) {
  const [command = program, ...rest] = [...account.prefix, program, ...args];
  return {
    command,
    args: rest,
    options: {
      ...account.identity,
      // A folder that exists for everyone, and messages and dates that do not depend on who started us.
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    },
  } as const;
}
