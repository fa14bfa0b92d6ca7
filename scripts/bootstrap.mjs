// Prepares a checkout so that `npm start` and `npm test` work on a fresh clone: installs the dependencies if those in
// node_modules are not the locked ones and, with --build, compiles if a source changed. Says nothing if nothing is to do.
// Node's own modules only, since it runs before there are others, and no syntax newer than Node 14, whose users shall
// read a sentence and not a syntax error.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const INSTALL_STAMP = join(ROOT, 'node_modules', '.millrace-install');
const BUILD_STAMP = join(ROOT, 'dist', '.millrace-build');
const LOCKS = join(ROOT, '.data', 'bootstrap');
const SOURCES = ['apps/api', 'libs', 'migrations', 'chaos'];
const CONFIGURATION = ['package.json', 'tsconfig.json'];

/** Longer than any installation: whoever waits this long waits for something that does not come. */
const LONGEST_WAIT_MS = 20 * 60_000;

/** Ends the bootstrap with one clear sentence. */
class BootstrapError extends Error {}

/** The Nest packages are ES modules that a CommonJS program requires, which these versions of Node can. */
function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const canRequireModules = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
  if (canRequireModules) return;
  throw new BootstrapError(
    `Millrace needs Node 20.19 or newer (of the 22 line 22.12 or newer), and this is Node ${process.versions.node}.`,
  );
}

/** Locked versions and the machine they were installed for: native addons belong to a platform and an ABI. */
function installFingerprint() {
  const hash = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')));
  return hash.update(`${process.platform} ${process.arch} ${process.versions.modules}`).digest('hex');
}

/** Paths, sizes and times of all that the compiler reads: a look at each file's entry, not at its content. */
function buildFingerprint(sources) {
  const hash = createHash('sha256');
  for (const path of [...CONFIGURATION, ...sources]) {
    const { size, mtimeMs } = statSync(join(ROOT, path));
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function sourceFiles() {
  const files = SOURCES.flatMap((folder) => filesBelow(folder)).filter((path) => /\.(ts|json)$/.test(path));
  // The order in which a folder lists its entries is no change of the sources.
  return files.sort((one, other) => (one < other ? -1 : 1));
}

/** Paths relative to the checkout, without those in node_modules. */
function filesBelow(folder) {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return [];
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

const stampSays = (stamp, fingerprint) => existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint;
const isInstalled = () => stampSays(INSTALL_STAMP, installFingerprint());
const isBuilt = () => stampSays(BUILD_STAMP, buildFingerprint(sourceFiles()));

async function install() {
  // npm would empty the folder behind the link, which belongs to another checkout.
  const folder = join(ROOT, 'node_modules');
  if (existsSync(folder) && lstatSync(folder).isSymbolicLink()) {
    throw new BootstrapError(
      `${folder} is a link to a folder with other packages: remove the link and start again.`,
    );
  }
  console.log('Installing the dependencies (npm ci) ...');
  const fingerprint = installFingerprint();
  // Gone before the first change and back after the last: an interrupted installation is one to repeat.
  rmSync(INSTALL_STAMP, { force: true });
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  // The compiler is a development dependency, which NODE_ENV=production would leave out.
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const failure = await run([...npm, ...args]);
  if (failure)
    throw new BootstrapError(`The dependencies could not be installed: npm ci ended with ${failure}.`);
  writeFileSync(INSTALL_STAMP, fingerprint);
}

async function build() {
  console.log('Building (tsc) ...');
  const sources = sourceFiles();
  const fingerprint = buildFingerprint(sources);
  rmSync(BUILD_STAMP, { force: true });
  const failure = await run([process.execPath, join('node_modules', 'typescript', 'bin', 'tsc'), '-p', '.']);
  if (failure)
    throw new BootstrapError(`The build failed: tsc ended with ${failure}, its complaints stand above.`);
  removeStaleOutputs(new Set(sources));
  writeFileSync(BUILD_STAMP, fingerprint);
}

/** Removes what was compiled from sources that are gone. The rest stays in place: a running server may still load it. */
function removeStaleOutputs(sources) {
  for (const output of SOURCES.flatMap((folder) => filesBelow(`dist/${folder}`))) {
    const source = output.replace(/^dist\//, '').replace(/(\.d)?\.(js|ts)(\.map)?$/, '.ts');
    if (sources.has(source)) continue;
    rmSync(join(ROOT, output), { force: true });
    removeEmptyFolders(dirname(output));
  }
}

function removeEmptyFolders(folder) {
  if (folder === 'dist' || readdirSync(join(ROOT, folder)).length > 0) return;
  rmdirSync(join(ROOT, folder));
  removeEmptyFolders(dirname(folder));
}

/** The command that runs now: a signal that ends us, which may reach us alone, has to end it too. */
let child;

/** Runs a command in the checkout. Gives what went wrong ("exit code 1", "SIGKILL"), or undefined. */
function run([command, ...args]) {
  return new Promise((resolve) => {
    child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : signal || `exit code ${code}`));
  });
}

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

function passSignalsOn() {
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null)
        process.exit(128 + number);
      child.once('close', () => process.exit(128 + number));
      child.kill(signal);
    });
  }
}

// Two bootstraps at once (`npm start` and `npm test` in two terminals) take turns, and the second finds the work done.
// The lock is the link with the highest number; it points to the process id of its holder. A link is made whole or not
// at all and never replaces another, and the highest is never removed: so of two that find a dead holder's link, only one
// can make the next.

/** Runs `work` while no other bootstrap of this checkout does. */
async function alone(work) {
  mkdirSync(LOCKS, { recursive: true });
  const deadline = Date.now() + LONGEST_WAIT_MS;
  let number = tryToLock();
  if (number === 0) console.log('Waiting for another start of Millrace to finish its preparations ...');
  while (number === 0) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (Date.now() > deadline) {
      throw new BootstrapError(
        `Another preparation does not end: if none is running, remove the folder ${LOCKS}.`,
      );
    }
    number = tryToLock();
  }
  await work();
  // Released by a further link, to nobody.
  symlinkSync('0', join(LOCKS, String(number + 1)));
}

/** The number of our link, or 0 if another process holds the lock. */
function tryToLock() {
  const numbers = lockNumbers();
  const last = Math.max(0, ...numbers);
  if (last > 0 && isBootstrap(holderOf(last))) return 0;
  try {
    symlinkSync(String(process.pid), join(LOCKS, String(last + 1)));
  } catch (error) {
    if (error.code === 'EEXIST') return 0;
    throw error;
  }
  // A higher one means that we acted on an old view of the folder: ours does not count.
  const isHighest = Math.max(...lockNumbers()) === last + 1;
  const outdated = isHighest ? numbers : [last + 1];
  for (const one of outdated) rmSync(join(LOCKS, String(one)), { force: true });
  return isHighest ? last + 1 : 0;
}

function lockNumbers() {
  return readdirSync(LOCKS)
    .map(Number)
    .filter((number) => Number.isInteger(number) && number > 0);
}

function holderOf(number) {
  try {
    return Number(readlinkSync(join(LOCKS, String(number))));
  } catch {
    return 0;
  }
}

/** True while this process lives and, where that can be seen, has not passed its number on to another program. */
function isBootstrap(pid) {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('bootstrap.mjs');
  } catch {
    return process.platform !== 'linux';
  }
}

async function bootstrap(wantsBuild) {
  checkNode();
  passSignalsOn();
  if (isInstalled() && (!wantsBuild || isBuilt())) return;
  await alone(async () => {
    if (!isInstalled()) await install();
    if (wantsBuild && !isBuilt()) await build();
  });
}

bootstrap(process.argv.includes('--build')).catch((error) => {
  const sentence =
    error instanceof BootstrapError ? error.message : `The checkout could not be prepared: ${error.message}`;
  console.error(sentence);
  process.exit(1);
});
