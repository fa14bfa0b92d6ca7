import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../config/config';
import type { Db } from '../db/db';
import { statement } from '../db/statement';
import { openDataFolder } from '../embedded-postgres/data-folder';
import { constantTimeEqual } from './digest';
import { KEY_BYTES, Keys } from './keys';

const KEY_FILE = 'secret.key';

/** Thrown at boot when the installation's key is missing, unreadable or another one than before. */
export class InstallationKeyError extends Error {
  override readonly name = 'InstallationKeyError';
}

/** Purpose: remembers the key of the first boot. Locks: the one row, if a first boot is under way elsewhere. */
const rememberFingerprint = statement<[fingerprint: string]>(
  'remember-key-fingerprint',
  `insert into installation (key_fingerprint) values ($1) on conflict do nothing`,
);

/** Purpose: which key this database was first used with. Locks: none. Rows: one. */
const readFingerprint = statement<[], { readonly fingerprint: string }>(
  'read-key-fingerprint',
  `select key_fingerprint as fingerprint from installation`,
);

/**
 * The key of 32 bytes that tokens and sealed values derive from: SECRET_KEY, else `secret.key` in DATA_DIR, which is
 * made at the first start. Processes that start together agree on one. Throws InstallationKeyError.
 */
export function loadInstallationKey(config: Config): Buffer {
  const { secretKey, environment, databaseUrl, dataDir } = config.values;
  if (secretKey) return Buffer.from(secretKey.reveal(), 'base64');
  if (environment === 'production' && databaseUrl) {
    // Several hosts may share this database; each would make a key of its own and break the tokens of the others.
    throw new InstallationKeyError(
      'SECRET_KEY is missing: with DATABASE_URL in production, set it to the same 32 bytes in base64 for every process (openssl rand -base64 32).',
    );
  }
  const file = join(openDataFolder(dataDir).path, KEY_FILE);
  if (!existsSync(file)) makeKeyFile(file);
  return readKeyFile(file);
}

/**
 * Compares the key with the one this database was first used with. Throws InstallationKeyError on another one: tokens
 * would not verify, and sealed values would not open.
 */
export async function verifyInstallationKey(db: Db, secretKey: Buffer): Promise<void> {
  const fingerprint = new Keys(secretKey).fingerprint();
  await db.executeControl(rememberFingerprint, fingerprint);
  const [known] = await db.executeControl(readFingerprint);
  if (known && constantTimeEqual(known.fingerprint, fingerprint)) return;
  throw new InstallationKeyError(
    'SECRET_KEY (or secret.key in DATA_DIR) is not the key this database was first used with: restore the former key, without which sessions, API keys and stored secrets cannot be read.',
  );
}

function readKeyFile(file: string): Buffer {
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length === KEY_BYTES) return key;
  throw new InstallationKeyError(
    `The file ${file} does not hold 32 bytes in base64: restore it from a copy, or set SECRET_KEY to its former content.`,
  );
}

/**
 * The name appears with its content or not at all, and only once: a link, unlike a rename, does not replace the file
 * that another process has linked first.
 */
function makeKeyFile(file: string): void {
  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  writeSynced(draft, `${randomBytes(KEY_BYTES).toString('base64')}\n`);
  try {
    linkSync(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    unlinkSync(draft);
  }
  syncFolder(dirname(file));
}

function writeSynced(file: string, content: string): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
