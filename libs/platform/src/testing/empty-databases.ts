import { randomBytes } from 'node:crypto';
import { dropDatabase, requiredServerUrl, urlOf, withAdmin } from './test-server-access';

/** Gives a test file databases in which nothing has been migrated, by their addresses, and drops them afterwards. */
export function useEmptyDatabases(): () => Promise<string> {
  const made: string[] = [];
  afterAll(async () => {
    await withAdmin(requiredServerUrl(), async (admin) => {
      for (const name of made) await dropDatabase(admin, name);
    });
  });
  return async () => {
    const name = `millrace_empty_${randomBytes(8).toString('hex')}`;
    await withAdmin(requiredServerUrl(), (admin) => admin.query(`create database ${name}`));
    made.push(name);
    return urlOf(requiredServerUrl(), name);
  };
}
