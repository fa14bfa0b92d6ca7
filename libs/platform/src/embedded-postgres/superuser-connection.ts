import { realpathSync } from 'node:fs';
import { Client, DatabaseError, escapeLiteral } from 'pg';

/** The role and the database of the application. */
const APPLICATION = 'millrace';

const SUPERUSER = 'postgres';

/** What a server says to a connection: that it serves this cluster, that it will or did, or that it is another's. */
export type ServerAnswer = 'ready' | 'not-ready' | 'refused';

/** The address of the superuser, for maintenance. */
export function superuserUrl(port: number, password: string): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`;
}

/** The address of the application, whose role may make databases and roles but is no superuser. */
export function applicationUrl(port: number, password: string): string {
  return `postgres://${APPLICATION}:${password}@127.0.0.1:${port}/${APPLICATION}`;
}

/** Tries one connection. `refused` means a server that does not know our password or that serves another folder. */
export async function askServer(port: number, password: string, cluster: string): Promise<ServerAnswer> {
  try {
    return await withSuperuser(port, password, async (client) => {
      const { rows } = await client.query<{ data_directory: string }>('show data_directory');
      const [row] = rows;
      return row !== undefined && realpathSync(row.data_directory) === cluster ? 'ready' : 'refused';
    });
  } catch (error) {
    // Nobody listens yet, or no longer.
    if (!(error instanceof DatabaseError)) return 'not-ready';
    switch (error.code) {
      case '28000': // invalid_authorization_specification
      case '28P01': // invalid_password
        return 'refused';
      case '57P01': // admin_shutdown
      case '57P03': // cannot_connect_now: it starts, recovers or stops
      case '53300': // too_many_connections
        return 'not-ready';
      default:
        throw error;
    }
  }
}

/**
 * Brings the application's role and database to what they should be. It runs at each start, so a first start that was
 * interrupted between the two is healed by the next.
 */
export async function ensureApplicationDatabase(
  port: number,
  passwords: { readonly superuser: string; readonly application: string },
): Promise<void> {
  await withSuperuser(port, passwords.superuser, async (client) => {
    const role = await client.query('select from pg_roles where rolname = $1', [APPLICATION]);
    const verb = role.rowCount === 0 ? 'create' : 'alter';
    await client.query(
      `${verb} role ${APPLICATION} login nosuperuser createrole createdb password ${escapeLiteral(passwords.application)}`,
    );
    const database = await client.query('select from pg_database where datname = $1', [APPLICATION]);
    if (database.rowCount === 0) await client.query(`create database ${APPLICATION} owner ${APPLICATION}`);
  });
}

async function withSuperuser<T>(
  port: number,
  password: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  // Each field is given, so that none is taken from a PG* variable of the environment.
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: SUPERUSER,
    password,
    database: 'postgres',
    ssl: false,
    application_name: 'millrace-supervisor',
    connectionTimeoutMillis: 5_000,
  });
  // Without a listener, a server that dies while we are connected would end this process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
