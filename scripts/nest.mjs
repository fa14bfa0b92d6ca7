// `npm run nest -- generate service billing/x`: the Nest CLI, run from the root. It needs TypeScript 6 beside it while
// the repository compiles with 7, so it has an install of its own in tools/nest, made on first use.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const HOME = join(ROOT, 'tools/nest');
const CLI = join(HOME, 'node_modules/@nestjs/cli');

const json = (path) => JSON.parse(readFileSync(path, 'utf8'));

function isInstalled() {
  const manifest = join(CLI, 'package.json');
  return (
    existsSync(manifest) &&
    json(manifest).version === json(join(HOME, 'package.json')).dependencies['@nestjs/cli']
  );
}

/** Runs a command to its end on this terminal and gives its exit code. */
function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' });
  if (error) console.error(`${command} did not start: ${error.message}`);
  return status ?? 1;
}

function install() {
  console.error('Installing the Nest CLI into tools/nest (once, about 50 MB) …');
  const args = ['ci', '--prefix', HOME, '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  return npm ? run(process.execPath, [npm, ...args]) : run('npm', args);
}

function nest(args) {
  return run(process.execPath, [
    '--require',
    join(HOME, 'typescript-6.cjs'),
    join(CLI, 'bin/nest.js'),
    ...args,
  ]);
}

const installed = isInstalled() ? 0 : install();
process.exitCode = installed === 0 ? nest(process.argv.slice(2)) : installed;
