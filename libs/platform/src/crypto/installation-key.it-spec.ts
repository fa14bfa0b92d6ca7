import { type ChildProcess, execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { barrier, useTestDb } from '#platform/testing';
import { parseConfig } from '../config/config';
import { statement } from '../db/statement';
import { InstallationKeyError, loadInstallationKey, verifyInstallationKey } from './installation-key';
import { Keys } from './keys';

const warmUp = statement('test-warm-up', 'select 1');
const given = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 3));

describe('the key of an installation', () => {
  const testDb = useTestDb();
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'millrace-key-'));
  });
  afterEach(() => {
    rmSync(dataDir, { recursive: true });
  });

  it('is SECRET_KEY where that is set', () => {
    const config = parseConfig({ SECRET_KEY: given.toString('base64'), DATA_DIR: dataDir });
    expect(loadInstallationKey(config)).toEqual(given);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('is made at the first start, for its owner alone, and read at every later one', () => {
    const config = parseConfig({ DATA_DIR: dataDir });
    const first = loadInstallationKey(config);
    expect(first).toHaveLength(32);
    expect(loadInstallationKey(config)).toEqual(first);
    expect(readdirSync(dataDir)).toEqual(['secret.key']);
    expect(statSync(join(dataDir, 'secret.key')).mode & 0o777).toBe(0o600);
  });

  // Seen to fail with a rename in place of the link: the last of the processes replaced the key the others had read.
  it('is the same for processes that start together', async () => {
    const script = join(dataDir, 'load.cjs');
    writeFileSync(script, loadScript());
    const processes = Array.from({ length: 4 }, () => execFile(process.execPath, [script, dataDir]));
    const outputs = await Promise.all(processes.map(firstOutput));
    expect(outputs).toEqual(processes.map(() => 'ready'));
    writeFileSync(join(dataDir, 'go'), '');
    const keys = await Promise.all(processes.map(firstOutput));
    expect(new Set(keys)).toEqual(new Set([readFileSync(join(dataDir, 'secret.key'), 'utf8').trim()]));
    expect(readdirSync(dataDir).toSorted()).toEqual(['go', 'load.cjs', 'secret.key']);
  }, 60_000);

  it('is refused when the file holds something else', () => {
    writeFileSync(join(dataDir, 'secret.key'), 'short');
    expect(() => loadInstallationKey(parseConfig({ DATA_DIR: dataDir }))).toThrow('does not hold 32 bytes');
  });

  it('must be given in production where other hosts may share the database', () => {
    const config = parseConfig({
      NODE_ENV: 'production',
      DATABASE_URL: 'postgres://db/x',
      DATA_DIR: dataDir,
    });
    expect(() => loadInstallationKey(config)).toThrow(/^SECRET_KEY is missing/);
  });

  it('is remembered by the database at the first boot, and another one is refused by name', async () => {
    const { db, sql } = testDb();
    await verifyInstallationKey(db, given);
    await verifyInstallationKey(db, given);
    const other = verifyInstallationKey(db, Buffer.alloc(32, 9));
    await expect(other).rejects.toThrow(InstallationKeyError);
    await expect(other).rejects.toThrow(/^SECRET_KEY .* is not the key this database was first used with/);
    expect(await sql('select key_fingerprint from installation')).toEqual([
      { key_fingerprint: new Keys(given).fingerprint() },
    ]);
  });

  // Seen to fail with "select, then insert when there is none" in place of the insert that yields to a first one.
  it('is decided once by processes that boot together with different keys', async () => {
    await testDb().sql('delete from installation');
    const dbs = await Promise.all(Array.from({ length: 6 }, () => testDb().connectAgain()));
    // A pool connects at its first use; that done, the processes really go at the same time.
    await Promise.all(dbs.map((db) => db.executeControl(warmUp)));
    const together = barrier(dbs.length);
    const outcomes = await Promise.allSettled(
      dbs.map(async (db, index) => {
        await together();
        await verifyInstallationKey(db, Buffer.alloc(32, index));
      }),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(InstallationKeyError);
    }
  });
});

/** Loads the sources in a process of its own, through the same compiler as the tests. */
function loadScript(): string {
  const root = process.cwd();
  const source = join(__dirname, 'installation-key.ts');
  return `
    const { existsSync, readFileSync } = require('node:fs');
    const { createRequire } = require('node:module');
    const swc = createRequire(${JSON.stringify(join(root, 'package.json'))})('@swc/core');
    require.extensions['.ts'] = (module, file) => {
      const { code } = swc.transformSync(readFileSync(file, 'utf8'), { filename: file, module: { type: 'commonjs' },
        jsc: { parser: { syntax: 'typescript', decorators: true }, transform: { legacyDecorator: true, decoratorMetadata: true }, target: 'es2023' } });
      module._compile(code, file);
    };
    const { loadInstallationKey } = require(${JSON.stringify(source)});
    const { parseConfig } = require(${JSON.stringify(join(__dirname, '../config/config.ts'))});
    const config = parseConfig({ DATA_DIR: process.argv[2] });
    process.stdout.write('ready');
    while (!existsSync(process.argv[2] + '/go'));
    process.stdout.write(loadInstallationKey(config).toString('base64'));
  `;
}

function firstOutput(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (chunk) => resolve(String(chunk)));
    child.once('error', reject).once('exit', (code) => reject(new Error(`It ended with ${code}.`)));
  });
}
