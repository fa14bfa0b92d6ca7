import { Client } from 'pg';

/** The address of the test server, whose user may make databases and roles. */
export function requiredServerUrl(): string {
  const url = process.env['MILLRACE_TEST_DATABASE_URL'];
  if (!url) throw new Error('MILLRACE_TEST_DATABASE_URL is not set: jest-global-setup starts the server.');
  return url;
}

/** Runs work over a connection of its own to the test server, or to one of its databases. */
export async function withAdmin<T>(serverUrl: string, work: (admin: Client) => Promise<T>): Promise<T> {
  const admin = new Client({ connectionString: serverUrl });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

/** The address of another database of a server. */
export function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.toString();
}

/**
 * Takes a database away. Forcing it would also end an autovacuum worker, which an ordinary user may not do; the plain
 * way asks it to leave. Sessions that a failed test left behind have to be forced.
 */
export async function dropDatabase(admin: Client, name: string): Promise<void> {
  try {
    await admin.query(`drop database if exists ${name}`);
  } catch (error) {
    const inUse = error instanceof Error && 'code' in error && error.code === '55006';
    if (!inUse) throw error;
    await admin.query(`drop database if exists ${name} with (force)`);
  }
}
