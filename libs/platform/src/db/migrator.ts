import { DataSource, type DataSourceOptions, type MigrationInterface } from 'typeorm';
import { BreakableClient, CONTROL_SCHEMA, FIRST_CELL, isCellId, poolOf } from './data-source';
import { ensureRoles, TENANT_ROLE } from './roles';

/** A migration class as TypeORM wants it: its name ends with its timestamp in epoch milliseconds. */
export type MigrationClass = new () => MigrationInterface;

/** The two histories: `control` once per installation, `cell` once per cell. */
export interface Migrations {
  readonly control: readonly MigrationClass[];
  readonly cell: readonly MigrationClass[];
}

/** One line of `migrate:status`. `unknown`: applied by a newer version of the product than this one. */
export interface MigrationState {
  readonly schema: string;
  readonly name: string;
  readonly state: 'applied' | 'pending' | 'unknown';
}

/** A request that cannot be fulfilled as things stand; the message says why and what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** Any constant will do; it serialises migrating processes of one database. */
const MIGRATION_LOCK = 0x6d72;

/**
 * Brings the schemas of an installation to the code's version, or one step back. Processes that start together take
 * turns under an advisory lock; each migration is a transaction of its own together with its history row.
 */
export class Migrator {
  constructor(
    private readonly url: string,
    private readonly migrations: Migrations,
  ) {}

  /** Applies what is missing to the control schema and every cell; returns the names applied, in order. */
  async up(): Promise<readonly string[]> {
    return this.#locked(async (home) => {
      await ensureSchema(home, CONTROL_SCHEMA);
      const applied = await this.#run(CONTROL_SCHEMA, this.migrations.control);
      for (const cell of await cellIds(home)) {
        await ensureSchema(home, cell);
        applied.push(...(await this.#run(cell, this.migrations.cell)));
      }
      return applied;
    });
  }

  /**
   * Creates another cell in this database, migrates it and opens it for new workspaces; brings the others up to date
   * first. Doing it again changes nothing. Returns the names applied, in order.
   */
  async createCell(cellId: string): Promise<readonly string[]> {
    if (!isCellId(cellId)) {
      throw new MigrationError(
        `"${cellId}" cannot name a cell: use up to 31 of a-z, 0-9 and _, beginning with a letter (not pg_).`,
      );
    }
    const others = await this.up();
    return this.#locked(async (home) => {
      await ensureSchema(home, cellId);
      const applied = await this.#run(cellId, this.migrations.cell);
      await home.query(`insert into ${CONTROL_SCHEMA}.cells (id) values ($1) on conflict do nothing`, [
        cellId,
      ]);
      return [...others, ...applied];
    });
  }

  /**
   * Takes back the newest migration of one plane (`control`, or every cell); returns what was reverted, nothing when
   * the plane is empty. After an interruption between two cells, the next call finishes the same step.
   */
  async revert(plane: keyof Migrations): Promise<readonly string[]> {
    return this.#locked(async (home) => {
      const schemas = plane === 'control' ? [CONTROL_SCHEMA] : await cellIds(home);
      const tips: { schema: string; name: string }[] = [];
      for (const schema of schemas) {
        const name = (await namesIn(home, schema)).at(-1);
        if (name !== undefined) tips.push({ schema, name });
      }
      const newest = newestOf(tips.map(({ name }) => name));
      if (newest === undefined) return [];
      const reverted = tips.filter(({ name }) => name === newest);
      for (const { schema } of reverted) await this.#undo(schema, this.migrations[plane], newest);
      return reverted.map(({ schema, name }) => `${schema}: ${name}`);
    });
  }

  /** Every migration of every schema in order, and whether it has been applied. */
  async status(): Promise<readonly MigrationState[]> {
    const home = await this.#open(CONTROL_SCHEMA, []);
    try {
      const states = statesOf(CONTROL_SCHEMA, this.migrations.control, await namesIn(home, CONTROL_SCHEMA));
      for (const cell of await cellIds(home)) {
        states.push(...statesOf(cell, this.migrations.cell, await namesIn(home, cell)));
      }
      return states;
    } finally {
      await home.destroy();
    }
  }

  /** Runs one at a time per database. The lock is held by a connection that does nothing else. */
  async #locked<T>(work: (home: DataSource) => Promise<T>): Promise<T> {
    const home = await this.#open(CONTROL_SCHEMA, []);
    const client = await poolOf(home).connect();
    try {
      await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
      await ensureRoles(client);
      return await work(home);
    } finally {
      await client.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
      client.release();
      await home.destroy();
    }
  }

  async #run(schema: string, classes: readonly MigrationClass[]): Promise<string[]> {
    const source = await this.#open(schema, classes);
    try {
      const applied = await source.runMigrations({ transaction: 'each' });
      return applied.map(({ name }) => `${schema}: ${name}`);
    } finally {
      await source.destroy();
    }
  }

  async #undo(schema: string, classes: readonly MigrationClass[], name: string): Promise<void> {
    const newest = classes.find((known) => known.name === name);
    if (!newest) {
      throw new MigrationError(
        `The newest migration of ${schema} is ${name}, which this version does not contain: revert it with the version that brought it.`,
      );
    }
    const source = await this.#open(schema, classes);
    try {
      // TypeORM looks at a migration's own `transaction` on the way up only.
      await source.undoLastMigration({ transaction: new newest().transaction === false ? 'none' : 'each' });
    } finally {
      await source.destroy();
    }
  }

  async #open(schema: string, classes: readonly MigrationClass[]): Promise<DataSource> {
    const path = schema === CONTROL_SCHEMA ? schema : `${schema},${CONTROL_SCHEMA}`;
    const options: DataSourceOptions = {
      type: 'postgres',
      url: this.url,
      applicationName: 'millrace-migrate',
      poolSize: 4,
      schema,
      installExtensions: false,
      uuidExtension: 'pgcrypto',
      migrations: [...classes],
      migrationsTableName: 'migrations',
      migrationsTransactionMode: 'each',
      extra: { Client: BreakableClient, options: `-c search_path=${path} -c client_min_messages=warning` },
    };
    return new DataSource(options).initialize();
  }
}

async function ensureSchema(home: DataSource, schema: string): Promise<void> {
  const found: unknown[] = await home.query('select from pg_namespace where nspname = $1', [schema]);
  if (found.length === 0) await home.query(`create schema ${schema}`);
  await home.query(`grant usage on schema ${schema} to ${TENANT_ROLE}`);
}

async function cellIds(home: DataSource): Promise<readonly string[]> {
  const exists: { found: string | null }[] = await home.query(
    `select to_regclass('${CONTROL_SCHEMA}.cells')::text as found`,
  );
  if (!exists[0]?.found) return [FIRST_CELL];
  const rows: { id: string }[] = await home.query(`select id from ${CONTROL_SCHEMA}.cells order by id`);
  return rows.map(({ id }) => id);
}

async function namesIn(home: DataSource, schema: string): Promise<readonly string[]> {
  const exists: { found: string | null }[] = await home.query('select to_regclass($1)::text as found', [
    `${schema}.migrations`,
  ]);
  if (!exists[0]?.found) return [];
  const rows: { name: string }[] = await home.query(`select name from ${schema}.migrations order by id`);
  return rows.map(({ name }) => name);
}

/** What the code knows, in its order, and after that what only the database knows. */
function statesOf(
  schema: string,
  classes: readonly MigrationClass[],
  applied: readonly string[],
): MigrationState[] {
  const known = classes.map(({ name }) => name);
  return [
    ...known.map(
      (name) => ({ schema, name, state: applied.includes(name) ? 'applied' : 'pending' }) as const,
    ),
    ...applied
      .filter((name) => !known.includes(name))
      .map((name) => ({ schema, name, state: 'unknown' }) as const),
  ];
}

/** The name that ends with the highest timestamp. */
function newestOf(names: readonly string[]): string | undefined {
  const timestamp = (name: string) => Number(/\d+$/.exec(name)?.[0] ?? 0);
  return names.toSorted((a, b) => timestamp(a) - timestamp(b)).at(-1);
}
