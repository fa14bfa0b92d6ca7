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
