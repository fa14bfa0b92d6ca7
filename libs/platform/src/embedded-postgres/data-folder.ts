import { createHash, randomBytes } from 'node:crypto';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { POSTGRES_MAJOR } from './binaries';
import { EmbeddedPostgresError, errorMessage } from './embedded-postgres-error';
import { writeDurably } from './write-durably';

/** The paths inside a data folder. `README.md` tells what each is for. */
export interface DataFolder {
  readonly path: string;
  readonly cluster: string;
  readonly lock: string;
  readonly log: string;
  readonly passwordsFile: string;
  readonly portFile: string;
  /** A short name of this folder, the same at each start, other than that of every other folder. */
  readonly clusterName: string;
}

/** Makes the folder if need be. Throws `EmbeddedPostgresError` where this user may not write. */
export function openDataFolder(dataDir: string): DataFolder {
  const wanted = resolve(dataDir);
  let path: string;
  try {
    mkdirSync(dirname(wanted), { recursive: true });
    const created = mkdirSync(wanted, { recursive: true, mode: 0o700 });
    // Root hands the cluster inside to another user, who has to be able to walk through.
    if (created !== undefined && process.getuid?.() === 0) chmodSync(wanted, 0o711);
    path = realpathSync(wanted);
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new EmbeddedPostgresError(`The data folder ${wanted} cannot be used: ${errorMessage(error)}.`, {
      cause: error,
    });
  }
  return {
    path,
    cluster: join(path, 'cluster'),
    lock: join(path, 'lock'),
    log: join(path, 'postgres.log'),
    passwordsFile: join(path, 'passwords.json'),
    portFile: join(path, 'port'),
    clusterName: `millrace-${createHash('sha256').update(path).digest('hex').slice(0, 12)}`,
  };
}

/** True if the folder holds a cluster. Throws `EmbeddedPostgresError` if it is one our binaries cannot run. */
export function hasCluster(folder: DataFolder): boolean {
  if (!existsSync(folder.cluster)) return false;
  const versionFile = join(folder.cluster, 'PG_VERSION');
  if (!existsSync(versionFile)) {
    throw new EmbeddedPostgresError(
      `The folder ${folder.cluster} is not a PostgreSQL cluster (it has no PG_VERSION): move it away to start with an empty database.`,
    );
  }
  const version = readFileSync(versionFile, 'utf8').trim();
  if (version === POSTGRES_MAJOR) return true;
  throw new EmbeddedPostgresError(
    `The data folder ${folder.path} was made by PostgreSQL ${version} and this Millrace carries PostgreSQL ${POSTGRES_MAJOR}: dump it with the old version, move the folder away and restore the dump into a new one.`,
  );
}

/** The passwords of the superuser `postgres` and of the application's role `millrace`. */
export interface Passwords {
  readonly superuser: string;
  readonly application: string;
}

/** Reads the passwords, or makes them where there is no cluster yet that would know others. */
export function readOrMakePasswords(folder: DataFolder): Passwords {
  if (existsSync(folder.passwordsFile)) return parsePasswords(folder.passwordsFile);
  if (existsSync(folder.cluster)) {
    throw new EmbeddedPostgresError(
      `The file ${folder.passwordsFile} is missing beside its cluster: restore it, since nothing else holds the passwords.`,
    );
  }
  const passwords: Passwords = { superuser: randomPassword(), application: randomPassword() };
  writeDurably(folder.passwordsFile, `${JSON.stringify(passwords, null, 2)}\n`);
  return passwords;
}

function parsePasswords(file: string): Passwords {
  const parsed = parseJson(readFileSync(file, 'utf8'));
  if (typeof parsed === 'object' && parsed !== null && 'superuser' in parsed && 'application' in parsed) {
    const { superuser, application } = parsed;
    if (typeof superuser === 'string' && typeof application === 'string') return { superuser, application };
  }
  throw new EmbeddedPostgresError(
    `The file ${file} does not hold two passwords as JSON: restore it from a copy.`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function randomPassword(): string {
  return randomBytes(24).toString('base64url');
}

/** The port of the last start, so that a restart keeps the address people may have noted down. */
export function rememberedPort(folder: DataFolder): number | undefined {
  if (!existsSync(folder.portFile)) return undefined;
  const port = Number(readFileSync(folder.portFile, 'utf8'));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

/** Keeps the port for the next start. */
export function rememberPort(folder: DataFolder, port: number): void {
  if (rememberedPort(folder) !== port) writeDurably(folder.portFile, `${port}\n`);
}
