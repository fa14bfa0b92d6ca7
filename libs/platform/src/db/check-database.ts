import { Client } from 'pg';
import { type DatabaseFault, databaseFaults } from './database-faults';
import { readDatabaseFacts } from './database-facts';

const CONNECT_TIMEOUT_MS = 10_000;

/** Why the product cannot work with a database: sentences for the person at the terminal, and what to run. */
export class DatabaseCheckError extends Error {
  override readonly name = 'DatabaseCheckError';

  constructor(
    message: string,
    /** What an administrator of the database has to run, in order. */
    readonly remedies: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Looks whether the product can migrate a database and run in it, before anything is changed there: the version of the
 * server, the two roles and the login user's standing to them, the schemas and whom they belong to. The user need not
 * be a superuser. Throws `DatabaseCheckError` that names everything missing with the statements that put it right, or
 * says why the database cannot be reached; passwords are not repeated.
 */
export async function checkDatabase(url: string): Promise<void> {
  const client = new Client({
    connectionString: url,
    application_name: 'millrace-check',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // Without a listener, a server that dies while we are connected would end this process.
  client.on('error', () => undefined);
  try {
    await connect(client, url);
    const faults = databaseFaults(await readDatabaseFacts(client));
    if (faults.length > 0) throw asError(faults);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function connect(client: Client, url: string): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    const reason = reasonOf(error);
    throw new DatabaseCheckError(`Cannot connect to the database at ${placeOf(url)}: ${reason}.`, [], {
      cause: error,
    });
  }
}

function asError(faults: readonly DatabaseFault[]): DatabaseCheckError {
  const remedies = faults.flatMap((fault) => fault.remedies);
  const sentences = faults.map(({ message }) => message).join('\n');
  const advice = 'Let an administrator of the database (a superuser, best) run there:';
  const message =
    remedies.length === 0
      ? sentences
      : `${sentences}\n${advice}\n${remedies.map((remedy) => `  ${remedy}`).join('\n')}`;
  return new DatabaseCheckError(message, remedies);
}

/** A host with several addresses fails once for each of them, in an error whose own message is empty. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}

/** Host, port and database of a URL: never its password. */
function placeOf(url: string): string {
  if (!URL.canParse(url)) return '(a URL that cannot be read)';
  const { host, pathname } = new URL(url);
  return `${host || 'the local socket'}${pathname}`;
}
