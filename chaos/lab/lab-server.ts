import { Client } from 'pg';
import { migrations } from '#migrations';
import { Migrator } from '#platform';
import { eventually, startTemporaryServer, type TemporaryServer } from '#platform/testing';
import { installObserver } from './observer';

/**
 * The PostgreSQL of the lab: the product's own, at its durable defaults, in a temporary folder. It is killed and comes
 * back on the same port, for it is supervised like the product's.
 */
export class LabServer {
  private constructor(private readonly server: TemporaryServer) {}

  static async start(): Promise<LabServer> {
    // The product's settings, which are durable, but for the number of connections: here are many processes.
    const settings = { max_connections: '300' };
    return new LabServer(await startTemporaryServer('millrace-chaos', { settings, onExit: () => undefined }));
  }

  /** Where things are kept that must not outlive the lab. */
  get folder(): string {
    return this.server.folder;
  }

  get port(): number {
    return Number(new URL(this.server.postgres.url).port);
  }

  /** Makes a database, migrated and observed; and broken by a statement, if that is asked for. */
  async createDatabase(name: string, sql: string | null): Promise<LabDatabase> {
    const { url, adminUrl } = this.server.postgres;
    await withClient(url, (owner) => owner.query(`create database ${name}`));
    const own = new URL(url);
    own.pathname = `/${name}`;
    await new Migrator(own.href, migrations).up();
    const superuser = new URL(adminUrl);
    superuser.pathname = `/${name}`;
    await withClient(superuser.href, installObserver);
    if (sql !== null) await withClient(superuser.href, (client) => client.query(sql));
    return new LabDatabase(own, superuser.href);
  }

  /** Kills the server process, without a word to those it started. */
  kill(): void {
    process.kill(this.server.postgres.pid, 'SIGKILL');
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}

/** One database of the lab's server. */
export class LabDatabase {
  constructor(
    private readonly owner: URL,
    private readonly superuserUrl: string,
  ) {}

  /** Its address by way of another port, that of a proxy. */
  urlBy(port: number): string {
    const url = new URL(this.owner);
    url.port = String(port);
    return url.href;
  }

  /** Runs SQL as the superuser, by a way that no fault disturbs, and again while the server is away. */
  rows<R>(text: string, params: readonly unknown[] = []): Promise<readonly R[]> {
    return eventually(
      () =>
        withClient(this.superuserUrl, async (client) => {
          const { rows } = await client
            .query(`set search_path = cell_1, control, lab`)
            .then(() => client.query(text, [...params]));
          return rows as R[];
        }),
      { timeoutMs: 60_000, everyMs: 100 },
    );
  }

  /** Ends every connection of the product. */
  async terminateConnections(): Promise<void> {
    await this.rows(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name like 'millrace%'`,
    );
  }
}

async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // Without a listener, a server that dies while we are connected would end this process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
