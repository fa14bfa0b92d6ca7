import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, commandAs } from './account';
import type { PostgresBinaries } from './binaries';
import type { DataFolder, Passwords } from './data-folder';
import { EmbeddedPostgresError } from './embedded-postgres-error';
import { renameDurably, writeDurably } from './write-durably';

const DRAFT = 'cluster.init-';

/** What initdb needs to know. */
export interface InitOptions {
  readonly binaries: PostgresBinaries;
  readonly account: Account;
  readonly passwords: Passwords;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a new cluster. It is made under another name and renamed when whole, so that a start that was interrupted leaves
 * no half-made one. The other name is new each time: an initdb whose Millrace was killed may still be writing to its own.
 */
export async function initCluster(folder: DataFolder, options: InitOptions): Promise<void> {
  removeDrafts(folder);
  const name = `${DRAFT}${randomBytes(4).toString('hex')}`;
  const draft = join(folder.path, name);
  const passwordFile = join(folder.path, `${name}.password`);
  const { identity } = options.account;
  try {
    writeDurably(passwordFile, options.passwords.superuser);
    mkdirSync(draft, { mode: 0o700 });
    if (identity !== undefined) {
      chownSync(draft, identity.uid, identity.gid);
      chownSync(passwordFile, identity.uid, identity.gid);
    }
    await runInitdb(draft, passwordFile, options);
    renameDurably(draft, folder.cluster);
  } finally {
    removeDrafts(folder);
  }
}

function removeDrafts(folder: DataFolder): void {
  for (const name of readdirSync(folder.path)) {
    if (name.startsWith(DRAFT))
      rmSync(join(folder.path, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Text sorts by code point, the same on each machine and after each upgrade, with no library of the system involved. */
function initdbArguments(draft: string, passwordFile: string): readonly string[] {
  return [
    `--pgdata=${draft}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ];
}

function runInitdb(draft: string, passwordFile: string, options: InitOptions): Promise<void> {
  const { binaries, account, signal } = options;
  const run = commandAs(account, binaries.initdb, initdbArguments(draft, passwordFile));
  return new Promise((resolve, reject) => {
    const initdb = spawn(run.command, run.args, {
      ...run.options,
      ...(signal === undefined ? {} : { signal }),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const complaints: string[] = [];
    initdb.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
    // An abort is told at once, while initdb is still dying: only its end says that nobody writes to the draft any more.
    let fault: Error | null = null;
    initdb.once('error', (error) => {
      fault = error;
    });
    initdb.once('close', (code, killedBy) => {
      if (fault) return reject(fault);
      if (code === 0) return resolve();
      const said = complaints.join('').trim().split('\n').join(' ');
      reject(new EmbeddedPostgresError(`initdb failed (${killedBy ?? `exit code ${code}`}): ${said}`));
    });
  });
}
