import { Client } from 'pg';
import { testServices, useTestDb } from '#platform/testing';
import { leaksOf } from './leaks';

describe('what tests leave behind', () => {
  const testDb = useTestDb();

  async function found(leases: readonly string[] = []): Promise<readonly string[]> {
    const admin = new Client({ connectionString: testDb().url });
    await admin.connect();
    try {
      return await leaksOf(admin, new URL(testDb().url).pathname.slice(1), () => Promise.resolve(leases));
    } finally {
      await admin.end();
    }
  }

  it('is nothing, when all is tidy', async () => {
    expect(await found()).toEqual([]);
  });

  it('is told of an open transaction and of a held lock', async () => {
    const other = new Client({ connectionString: testDb().url });
    await other.connect();
    await other.query('begin');
    await other.query('select pg_advisory_xact_lock(1)');
    expect(await found()).toEqual([
      expect.stringContaining('transaction open (idle in transaction): select pg_advisory_xact_lock(1)'),
      expect.stringContaining('advisory lock held by pid'),
    ]);
    await other.end();
  });

  it('is told of loops that were not stopped, and of leases', async () => {
    const services = testServices(testDb().url);
    services.loops.add({
      name: 'endless',
      role: 'worker',
      everyMs: 1_000,
      runOnce: () => Promise.resolve({ rows: 0 }),
    });
    services.loops.start();
    expect(await found(['lease of worker 7'])).toEqual(['loops not stopped: endless', 'lease of worker 7']);
    await services.stop();
    expect(await found()).toEqual([]);
  });
});
