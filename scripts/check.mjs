// `npm run check`: everything that can be said about the tree without running it. Prints one line per part, and the
// whole output of the parts that failed.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const PARALLEL = 2;
const SOURCES = ['apps', 'libs', 'migrations', 'chaos'].filter((folder) => existsSync(join(ROOT, folder)));

const installed = (path) => join(ROOT, 'node_modules', path);
const knip = [installed('knip/bin/knip.js'), '--no-progress', '--no-config-hints'];

/** Name → what node runs. The slowest come first, so that the last core is not left waiting. */
const PARTS = {
  lint: [installed('oxlint/bin/oxlint'), '--disable-nested-config'],
  types: [installed('typescript/bin/tsc'), '-p', '.', '--noEmit', '--pretty', 'false'],
  'types of tools': [installed('typescript/bin/tsc'), '-p', 'tools', '--pretty', 'false'],
  boundaries: [
    installed('dependency-cruiser/bin/dependency-cruise.mjs'),
    ...SOURCES,
    '--output-type',
    'err-long',
  ],
  'dead code': knip,
  'dead in production': [...knip, '--production', '--include', 'files,dependencies'],
  format: [installed('oxfmt/bin/oxfmt'), '--check'],
  ...(existsSync(join(ROOT, 'scripts/generated.mjs'))
    ? { generated: ['scripts/generated.mjs', '--check'] }
    : {}),
};

/** Runs one part to its end. Never rejects: a part that cannot start is a part that failed. */
function run(name, command) {
  const startedMs = performance.now();
  return new Promise((done) => {
    const child = spawn(process.execPath, command, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    const finish = (ok) => {
      const seconds = (performance.now() - startedMs) / 1000;
      console.log(`  ${name.padEnd(20)} ${seconds.toFixed(1).padStart(5)} s  ${ok ? 'ok' : 'FAILED'}`);
      done({ name, ok, output: Buffer.concat(chunks).toString().trim() });
    };
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => {
      chunks.push(Buffer.from(error.message));
      finish(false);
    });
    child.on('close', (code) => finish(code === 0));
  });
}

async function runAll() {
  const waiting = Object.entries(PARTS);
  const results = [];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results.push(await run(...next));
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return results;
}

const startedMs = performance.now();
const failed = (await runAll()).filter(({ ok }) => !ok);
for (const { name, output } of failed) console.log(`\n── ${name} ──\n${output || '(no output)'}`);

const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
console.log(
  failed.length === 0
    ? `check: all parts ok in ${seconds} s`
    : `\ncheck: ${failed.map(({ name }) => name).join(', ')} failed, ${seconds} s`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
