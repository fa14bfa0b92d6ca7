import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** The checkout. */
export const ROOT = checkoutOf(__dirname);
const SOURCES = ['apps/api/src', 'libs', 'migrations'];
/** What the built program does not consist of. */
const TEST_FILE = /\.(spec|it-spec|e2e-spec)\.ts$/;

/** Path of a built program, e.g. `main` or `cli/migrate`. Throws when it is not built, or older than its sources. */
export function builtProgram(name: string): string {
  const program = join(ROOT, 'dist/apps/api/src', `${name}.js`);
  if (!existsSync(program)) throw notBuilt(`${relative(ROOT, program)} does not exist`);
  const builtAtMs = statSync(program).mtimeMs;
  const newer = SOURCES.flatMap((folder) => sourcesBelow(join(ROOT, folder))).find(
    (path) => statSync(path).mtimeMs > builtAtMs,
  );
  if (newer !== undefined) throw notBuilt(`${relative(ROOT, newer)} is newer than dist`);
  return program;
}

/** The folder with the manifest: this file may be run from its source or from what was built of it. */
function checkoutOf(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : checkoutOf(dirname(folder));
}

function notBuilt(why: string): Error {
  return new Error(
    `These tests run the built application, and ${why}: run "npm run build" first ("npm test" does).`,
  );
}

function sourcesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !TEST_FILE.test(path) && !path.includes('node_modules'))
    .map((path) => join(folder, path));
}
