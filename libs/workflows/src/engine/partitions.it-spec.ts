import { barrier, PinnedClock, useTestDb } from '#platform/testing';
import { leastId, partitionKeeper, partitionsFor } from './partitions';

describe('the months of history', () => {
  const testDb = useTestDb();
  const clock = new PinnedClock('2026-11-20T12:00:00Z');

  it('are the current one and those ahead, each where the last one ends', () => {
    const months = partitionsFor(new Date('2026-11-30T23:59:59.999Z'), 2);
    expect(months.map(({ suffix }) => suffix)).toEqual(['2026_11', '2026_12', '2027_01']);
    expect(months.map(({ from }) => from).slice(1)).toEqual(months.map(({ to }) => to).slice(0, -1));
  });

  it('begin with the least id of their first instant', () => {
    expect(leastId(new Date(0))).toBe('00000000-0000-0000-0000-000000000000');
    expect(leastId(new Date('2026-11-01T00:00:00Z'))).toBe('01a19467-e800-0000-0000-000000000000');
  });

  it('are made once, by however many processes at a time', async () => {
    const ready = barrier(4);
    const rounds = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const keeper = partitionKeeper(await testDb().connectAgain(), clock, 'cell_1');
        await ready();
        return keeper.runOnce(new AbortController().signal);
      }),
    );
    expect(rounds.some(({ rows }) => rows > 0)).toBe(true);
    const again = await partitionKeeper(testDb().db, clock, 'cell_1').runOnce(new AbortController().signal);
    expect(again).toEqual({ rows: 0 });
  });

  it('take the runs of their month, out of reach of other tenants', async () => {
    const month = leastId(new Date('2026-12-15T00:00:00Z'));
    await testDb().sql(
      `insert into workflow_run_events (run_id, first_seq, last_seq, workspace_id, events)
       values ($1, 2, 2, $1, '[]')`,
      [month],
    );
    expect(await testDb().sql('select tableoid::regclass::text as home from workflow_run_events')).toEqual([
      { home: 'workflow_run_events_2026_12' },
    ]);
    const open = await testDb().sql(
      `select relname from pg_class where relname ~ '_2026_12$' and relkind = 'r'
          and not (relrowsecurity and relforcerowsecurity)`,
    );
    expect(open).toEqual([]);
    const policies = await testDb().sql<{ policies: number }>(
      `select count(distinct (policyname, roles, cmd, qual, with_check))::int as policies from pg_policies
        where tablename in ('workflow_runs', 'workflow_runs_2026_12')`,
    );
    // The month's policies are its table's: an owner's and a tenant's.
    expect(policies).toEqual([{ policies: 2 }]);
  });
});
