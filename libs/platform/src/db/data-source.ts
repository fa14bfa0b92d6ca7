import type { DataSource, DataSourceOptions } from 'typeorm';
import { Client, type ClientConfig, type Pool } from 'pg';

/** The schema of tables that belong to the whole installation. */
export const CONTROL_SCHEMA = 'control';
/** The cell every installation begins with. */
export const FIRST_CELL = 'cell_1';

const CELL_NAME = /^[a-z][a-z0-9_]{0,30}$/;

/** Whether a text may name a cell: it becomes a schema name, and is put into SQL text as it is. */
export function isCellId(text: string): boolean {
  return CELL_NAME.test(text) && text !== CONTROL_SCHEMA && !text.startsWith('pg_');
}

/** What a connection to one cell needs to know. */
export interface CellConnection {
  readonly url: string;
  readonly cellId: string;
  readonly poolSize: number;
  readonly applicationName: string;
  readonly entities?: NonNullable<DataSourceOptions['entities']>;
}

/**
 * A connection that may break at any moment. The pool listens to idle connections and TypeORM to those it has got hold
 * of; one that breaks in between (its server says goodbye in the same packet in which it answers) would find nobody
 * listening, and Node ends a process for that. Whoever uses the connection fails by its next statement.
 */
export class BreakableClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}

/**
 * What connections tell the planner. Every statement is written to find its rows by an index, and is tested as a plan for
 * any parameters: that plan is the one to be used. A table is empty when it is made and may be read by thousands a second
 * before its statistics are; until then the planner would read it whole, and once for each row of a batch at worst.
 */
const PLANNER = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_material: 'off',
  // It takes plans with such a detour for costly ones, and compiles them for longer than they take.
  jit: 'off',
} as const;

function settingsOf(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

/**
 * Options of the DataSource of one cell. Statements and entities name tables unqualified: the `search_path` given
 * here decides, so a second cell (another schema, another server) is this same code with other options.
 */
export function cellDataSourceOptions(cell: CellConnection): DataSourceOptions {
  if (!isCellId(cell.cellId)) throw new Error(`"${cell.cellId}" cannot name a cell.`);
  return {
    type: 'postgres',
    url: cell.url,
    applicationName: cell.applicationName,
    poolSize: cell.poolSize,
    connectTimeoutMS: 5_000,
    // Nothing but migrations may change the schema, and connecting must not create extensions.
    synchronize: false,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    entities: cell.entities ?? [],
    extra: {
      Client: BreakableClient,
      options: settingsOf({ search_path: `${cell.cellId},${CONTROL_SCHEMA}`, ...PLANNER }),
      statement_timeout: 30_000,
      idle_in_transaction_session_timeout: 60_000,
      // Longer than statement_timeout: it only ends waiting on a connection that went silent.
      query_timeout: 35_000,
      idleTimeoutMillis: 60_000,
    },
  };
}

/** The driver's own pool beneath a DataSource: statements and entities share connections and transactions. */
export function poolOf(dataSource: DataSource): Pool {
  const driver: unknown = dataSource.driver;
  return (driver as { readonly master: Pool }).master;
}
