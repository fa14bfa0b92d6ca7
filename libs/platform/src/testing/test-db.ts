import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { Cells } from '../db/cells';
import { cellDataSourceOptions, FIRST_CELL, poolOf } from '../db/data-source';
import { Db } from '../db/db';
import { TenantDirectory } from '../db/directory';
import { type Migrations, Migrator } from '../db/migrator';
import { leaksOf } from './leaks';
import { dropDatabase, requiredServerUrl, urlOf, withAdmin } from './test-server-access';

/** Serialises test processes while one of them makes the template. */
const TEMPLATE_LOCK = 0x7e57;

/** A database of one test file: a clone of the migrated template. */
export interface TestDb {
  readonly db: Db;
  readonly directory: TenantDirectory;
  readonly dataSource: DataSource;
  readonly url: string;
  /** Runs SQL as the owner role with the search path of a cell, for arranging and looking. */
  sql<R = Record<string, unknown>>(text: string, params?: readonly unknown[], cellId?: string): Promise<R[]>;
  /** Ends something that uses the database before it is taken away; hooks run in reverse order. */
  beforeClose(end: () => Promise<void>): void;
  /** Another pool of its own onto the same database, as a second process would have. */
  connectAgain(): Promise<Db>;
}

/** What a test file's database is made with. */
export interface TestDbOptions {
  readonly entities?: NonNullable<DataSourceOptions['entities']>;
  readonly poolSize?: number;
  /** Further cells beside `cell_1`, made before the first test. */
  readonly cells?: readonly string[];
  /** SQL that lists as `leak` what workers still hold; asked in each cell when the tests are over. */
  readonly leases?: string;
}

/**
 * Gives a test file its own database (cloned from a template, some 0.1 s) and takes it away afterwards. A file with a
 * failing test keeps its database and prints its name. `afterAll` fails on a transaction left open, a lock or lease
 * left held, and loops left running.
 */
export function useTestDb(options: TestDbOptions = {}): () => TestDb {
  let current: { readonly test: TestDb; readonly close: () => Promise<void> } | null = null;
  beforeAll(async () => {
    current = await createTestDb(options);
  }, 60_000);
  afterAll(async () => {
    await current?.close();
  }, 60_000);
  return () => {
    if (!current) throw new Error('The test database is ready from beforeAll on.');
    return current.test;
  };
}

async function createTestDb(options: TestDbOptions) {
  const serverUrl = requiredServerUrl();
  const name = databaseName();
  const template = await ensureTemplate(serverUrl);
  await withAdmin(serverUrl, async (admin) => {
    await dropDatabase(admin, name);
    await admin.query(`create database ${name} template ${template}`);
  });
  const url = urlOf(serverUrl, name);
  for (const cell of options.cells ?? []) await new Migrator(url, await loadMigrations()).createCell(cell);

  const opened: Cells[] = [];
  const endings: (() => Promise<void>)[] = [];
  const open = async (): Promise<Cells> => {
    const connect = { url, poolSize: options.poolSize ?? 10, applicationName: 'millrace-test' };
    const home = await new DataSource(
      cellDataSourceOptions({ ...connect, cellId: FIRST_CELL, entities: options.entities ?? [] }),
    ).initialize();
    const cells = new Cells(home, connect);
    opened.push(cells);
    return cells;
  };
  const cells = await open();
  const db = new Db(cells, { namedStatements: true });
  const test: TestDb = {
    db,
    directory: new TenantDirectory(db),
    dataSource: cells.home,
    url,
    sql: async <R>(text: string, params: readonly unknown[] = [], cellId = FIRST_CELL): Promise<R[]> => {
      const source = await cells.source(cellId);
      const result = await poolOf(source).query(text, [...params]);
      return result.rows as R[];
    },
    beforeClose: (end) => void endings.unshift(end),
    connectAgain: async () => new Db(await open(), { namedStatements: true }),
  };
  const leases = async (): Promise<readonly string[]> => {
    const query = options.leases;
    if (query === undefined) return [];
    const held = await Promise.all(
      [FIRST_CELL, ...(options.cells ?? [])].map((cell) => test.sql<{ leak: string }>(query, [], cell)),
    );
    return held.flat().map(({ leak }) => leak);
  };
  const close = async () => {
    for (const end of endings) await end();
    const leaks = await withAdmin(serverUrl, (admin) => leaksOf(admin, name, leases));
    for (const other of opened) {
      await other.close();
      await other.home.destroy();
    }
    if (failedTests() > 0) {
      process.stderr.write(`A test failed: its database ${name} is kept on ${hostOf(serverUrl)}.\n`);
      return;
    }
    await withAdmin(serverUrl, (admin) => dropDatabase(admin, name));
    if (leaks.length > 0) throw new Error(`Left behind in ${name}: ${leaks.join('; ')}`);
  };
  return { test, close };
}

/** Counted by this project's jest environment: jest itself tells a file nothing of its failures. */
function failedTests(): number {
  const counted: unknown = Reflect.get(globalThis, 'millraceFailedTests');
  return typeof counted === 'number' ? counted : 0;
}

function databaseName(): string {
  const path = expect.getState().testPath ?? 'unknown';
  const digest = createHash('sha1').update(`${path}:${process.pid}`).digest('hex').slice(0, 16);
  return `millrace_test_${digest}`;
}

/** Migrates once per content of the migrations: the template's name is a digest of their texts. */
async function ensureTemplate(serverUrl: string): Promise<string> {
  const folder = join(__dirname, '../../../../migrations');
  const name = `millrace_template_${digestOf([folder, join(__dirname, '../db/migrator.ts')])}`;
  await withAdmin(serverUrl, async (admin) => {
    await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const found = await admin.query('select from pg_database where datname = $1 and datistemplate', [name]);
    if (found.rowCount !== 0) return;
    await dropDatabase(admin, name);
    await admin.query(`create database ${name}`);
    await new Migrator(urlOf(serverUrl, name), await loadMigrations()).up();
    await admin.query(`alter database ${name} with is_template true`);
  });
  return name;
}

/** Loaded when a database is made: a spec without one takes other things from this folder and needs no migrations. */
async function loadMigrations(): Promise<Migrations> {
  const { migrations } = await import('#migrations');
  return migrations;
}

function digestOf(paths: readonly string[]): string {
  const hash = createHash('sha1');
  const visit = (path: string): void => {
    if (statSync(path).isDirectory()) {
      for (const entry of readdirSync(path).toSorted()) visit(join(path, entry));
    } else if (path.endsWith('.ts')) hash.update(path).update(readFileSync(path));
  };
  for (const path of paths) visit(path);
  return hash.digest('hex').slice(0, 16);
}

function hostOf(serverUrl: string): string {
  return new URL(serverUrl).host;
}
