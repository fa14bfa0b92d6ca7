import { randomUUID } from 'node:crypto';
import { type Db, statement } from '#platform';
import { barrier, useTestDb } from '#platform/testing';
import { type WorkspacePlan, WorkspacePlans } from '../ports';
import { RunMeter, type RunRequest } from './run-meter';

const NOW = new Date('2026-03-10T12:00:00Z');
const ANCHOR = new Date('2026-01-31T00:00:00Z');
const PERIOD_END = new Date('2026-03-31T00:00:00Z');

const lookAtUsage = statement<[], { readonly id: string; readonly used: string }>(
  'test-look-at-usage',
  `select workspace_id as id, runs_used as used from workspace_run_usage`,
);
const changeUsage = statement<[], unknown>(
  'test-change-usage',
  `update workspace_run_usage set runs_used = 0`,
);

/** Knows every workspace on one plan, unless it is told otherwise, and counts how often it is asked. */
class FixedPlans extends WorkspacePlans {
  asked = 0;

  constructor(
    private readonly plan: string,
    private readonly missing: ReadonlySet<string> = new Set(),
  ) {
    super();
  }

  of(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, WorkspacePlan>> {
    this.asked += 1;
    const known = workspaceIds.filter((id) => !this.missing.has(id));
    return Promise.resolve(new Map(known.map((id) => [id, { plan: this.plan, anchorAt: ANCHOR }])));
  }
}

describe('RunMeter', () => {
  const testDb = useTestDb({ cells: ['cell_2'], poolSize: 20 });

  async function aWorkspace({ cellId = 'cell_1' } = {}): Promise<string> {
    const id = randomUUID();
    await testDb().sql('insert into tenants (workspace_id) values ($1)', [id], cellId);
    await testDb().sql('insert into workspace_directory (workspace_id, cell_id) values ($1, $2)', [
      id,
      cellId,
    ]);
    return id;
  }

  /** A workspace that may start `limit` runs in the current period. */
  async function aWorkspaceWith({
    limit,
    used = 0,
  }: {
    limit: number | null;
    used?: number;
  }): Promise<string> {
    const id = await aWorkspace();
    await testDb().sql(
      `insert into workspace_run_usage (workspace_id, period_start, period_end, plan, run_limit, runs_used)
       values ($1, '2026-02-28T00:00:00Z', $2, 'solo', $3, $4)`,
      [id, PERIOD_END, limit, used],
    );
    return id;
  }

  async function usedBy(workspaceId: string, cellId = 'cell_1'): Promise<number> {
    const rows = await testDb().sql<{ used: string }>(
      'select sum(runs_used) as used from workspace_run_usage where workspace_id = $1',
      [workspaceId],
      cellId,
    );
    return Number(rows[0]?.used);
  }

  const meter = (plans: WorkspacePlans = new FixedPlans('solo'), db: Db = testDb().db) =>
    new RunMeter(db, plans);

  const take = (db: Db, runMeter: RunMeter, request: RunRequest) =>
    db.cell('cell_1', (tx) => runMeter.take(tx, [request], NOW));

  it('grants what is left: all, a part, nothing', async () => {
    const workspaceId = await aWorkspaceWith({ limit: 8 });
    const grants: unknown[] = [];
    for (const runs of [5, 5, 1])
      grants.push((await take(testDb().db, meter(), { workspaceId, runs })).get(workspaceId));
    const rest = { limit: 8, plan: 'solo', periodEnd: PERIOD_END };
    expect(grants).toEqual([
      { granted: 5, ...rest },
      { granted: 3, ...rest },
      { granted: 0, ...rest },
    ]);
    expect(await usedBy(workspaceId)).toBe(8);
  });

  it('grants everything where there is no limit, and counts it', async () => {
    const workspaceId = await aWorkspaceWith({ limit: null });
    const grants = await take(testDb().db, meter(), { workspaceId, runs: 1_000_000 });
    expect(grants.get(workspaceId)).toMatchObject({ granted: 1_000_000, limit: null });
    expect(await usedBy(workspaceId)).toBe(1_000_000);
  });

  it('decides for each workspace of a batch, adds up what one asks for twice, and leaves out the unknown', async () => {
    const [a, b, unknown] = [
      await aWorkspaceWith({ limit: 3 }),
      await aWorkspaceWith({ limit: 1 }),
      randomUUID(),
    ];
    const requests = [a, b, a, unknown, b].map((workspaceId) => ({ workspaceId, runs: 1 }));
    const grants = await testDb().db.cell('cell_1', (tx) => meter().take(tx, requests, NOW));
    expect(grants.size).toBe(2);
    expect([grants.get(a)?.granted, grants.get(b)?.granted]).toEqual([2, 1]);
  });

  it('asks the database nothing for an empty batch and refuses counts that are none', async () => {
    await testDb().db.cell('cell_1', async (tx) => {
      expect((await meter().take(tx, [], NOW)).size).toBe(0);
      for (const runs of [0, -1, 1.5, Number.NaN]) {
        await expect(meter().take(tx, [{ workspaceId: randomUUID(), runs }], NOW)).rejects.toThrow(
          RangeError,
        );
      }
    });
  });

  it('counts each period by itself, up to its last instant and from its first', async () => {
    const workspaceId = await aWorkspace();
    const runMeter = meter();
    const instants = ['2026-02-28T00:00:00Z', '2026-03-30T23:59:59.999Z', '2026-03-31T00:00:00Z'];
    const ends: (string | undefined)[] = [];
    for (const now of instants.map((instant) => new Date(instant))) {
      await runMeter.ensurePeriods([workspaceId], now);
      const grants = await testDb().db.cell('cell_1', (tx) =>
        runMeter.take(tx, [{ workspaceId, runs: 1 }], now),
      );
      ends.push(grants.get(workspaceId)?.periodEnd.toISOString());
    }
    expect(ends).toEqual([
      '2026-03-31T00:00:00.000Z',
      '2026-03-31T00:00:00.000Z',
      '2026-04-30T00:00:00.000Z',
    ]);
    const rows = await testDb().sql(
      'select runs_used::integer as used from workspace_run_usage where workspace_id = $1 order by period_start',
      [workspaceId],
    );
    expect(rows).toEqual([{ used: 2 }, { used: 1 }]);
  });

  it('opens a period in the cell of the workspace, with the limit of its plan, and asks once', async () => {
    const [here, there] = [await aWorkspace(), await aWorkspace({ cellId: 'cell_2' })];
    const plans = new FixedPlans('workspace');
    const runMeter = meter(plans);
    await runMeter.ensurePeriods([here, there, here], NOW);
    await runMeter.ensurePeriods([there, here], NOW);
    expect(plans.asked).toBe(1);
    const grants = await testDb().db.cell('cell_2', (tx) =>
      runMeter.take(tx, [{ workspaceId: there, runs: 1 }], NOW),
    );
    expect(grants.get(there)).toEqual({
      granted: 1,
      limit: 20_000,
      plan: 'workspace',
      periodEnd: PERIOD_END,
    });
    expect([await usedBy(here), await usedBy(there, 'cell_2')]).toEqual([0, 1]);
  });

  it('opens nothing for a workspace that does not exist', async () => {
    const [known, unknown] = [await aWorkspace(), randomUUID()];
    const runMeter = meter(new FixedPlans('solo', new Set([unknown])));
    await runMeter.ensurePeriods([unknown, known], NOW);
    const requests = [known, unknown].map((workspaceId) => ({ workspaceId, runs: 1 }));
    const grants = await testDb().db.cell('cell_1', (tx) => runMeter.take(tx, requests, NOW));
    expect([...grants.keys()]).toEqual([known]);
  });

  it('opens a period again whose row has vanished, once a take has missed it', async () => {
    const workspaceId = await aWorkspace();
    const runMeter = meter();
    await runMeter.ensurePeriods([workspaceId], NOW);
    await testDb().sql('delete from workspace_run_usage where workspace_id = $1', [workspaceId]);
    expect((await take(testDb().db, runMeter, { workspaceId, runs: 1 })).has(workspaceId)).toBe(false);
    await runMeter.ensurePeriods([workspaceId], NOW);
    expect((await take(testDb().db, runMeter, { workspaceId, runs: 1 })).get(workspaceId)?.granted).toBe(1);
  });

  it('gives the units back when the transaction around it is rolled back', async () => {
    const workspaceId = await aWorkspaceWith({ limit: 10, used: 4 });
    const failing = testDb().db.cell('cell_1', async (tx) => {
      const grants = await meter().take(tx, [{ workspaceId, runs: 5 }], NOW);
      expect(grants.get(workspaceId)?.granted).toBe(5);
      throw new Error('the run could not be stored');
    });
    await expect(failing).rejects.toThrow('the run could not be stored');
    expect(await usedBy(workspaceId)).toBe(4);
  });

  it('lets a tenant see its own count and change none', async () => {
    const [mine, other] = [await aWorkspaceWith({ limit: 10, used: 4 }), await aWorkspaceWith({ limit: 10 })];
    const seen = await testDb().db.tenant(mine, (tx) => tx.query(lookAtUsage));
    expect(seen).toEqual([{ id: mine, used: '4' }]);
    const change = testDb().db.tenant(other, (tx) => tx.query(changeUsage));
    await expect(change).rejects.toMatchObject({ code: '42501' });
  });

  /** Does a piece of work 200 times from 40 real connections that all begin at once, and gives what each got. */
  async function twoHundredTimes<T>(work: (db: Db) => Promise<T>): Promise<readonly T[]> {
    const pools = [testDb().db, await testDb().connectAgain()] as const;
    const go = barrier(40);
    const lanes = Array.from({ length: 40 }, async (_, lane) => {
      const db = pools[lane % 2 === 0 ? 0 : 1];
      const results: T[] = [];
      await go();
      while (results.length < 5) results.push(await work(db));
      return results;
    });
    return (await Promise.all(lanes)).flat();
  }

  // Seen to fail with a grant computed from what the statement read at first, without `for update`: more was granted
  // than the CHECK of the table allows to be stored.
  it('grants exactly 150 of 200 runs asked for at once', async () => {
    const workspaceId = await aWorkspaceWith({ limit: 150 });
    const grants = await twoHundredTimes(async (db) => {
      const taken = await take(db, meter(), { workspaceId, runs: 1 });
      return taken.get(workspaceId)?.granted;
    });
    expect(grants.filter((granted) => granted === 1)).toHaveLength(150);
    expect(grants.filter((granted) => granted === 0)).toHaveLength(50);
    expect(await usedBy(workspaceId)).toBe(150);
  }, 30_000);

  // Each take has a meter of its own, as 200 processes would: none knows that another opens the period.
  // Seen to fail without `on conflict do nothing`: a violation of workspace_run_usage_pkey.
  it('loses none of 200 first uses of a new period', async () => {
    const workspaceId = await aWorkspace();
    const grants = await twoHundredTimes(async (db) => {
      const runMeter = meter(new FixedPlans('solo'), db);
      await runMeter.ensurePeriods([workspaceId], NOW);
      return (await take(db, runMeter, { workspaceId, runs: 1 })).get(workspaceId)?.granted;
    });
    expect(grants).toEqual(Array.from({ length: 200 }, () => 1));
    expect(await usedBy(workspaceId)).toBe(200);
  }, 30_000);

  // A deadlock would be retried by Db and go unseen, so the attempts are counted. Seen to
  // fail without the `order by` before `for update`: 84 to 116 attempts instead of 80, in four runs out of four.
  it('never lets two batches in opposite orders wait for each other in a circle', async () => {
    const rounds = 40;
    const workspaceIds = (
      await testDb().sql<{ id: string }>(
        `with anchored as (
           insert into tenants (workspace_id) select gen_random_uuid() from generate_series(1, 400) returning workspace_id
         )
         insert into workspace_run_usage (workspace_id, period_start, period_end, plan)
         select workspace_id, '2026-02-28T00:00:00Z', $1, 'enterprise' from anchored returning workspace_id as id`,
        [PERIOD_END],
      )
    ).map(({ id }) => id);
    const pools = [testDb().db, await testDb().connectAgain()] as const;
    const forwards = workspaceIds.map((workspaceId) => ({ workspaceId, runs: 1 }));
    const orders = [forwards, forwards.toReversed()] as const;
    const runMeter = meter();
    let attempts = 0;
    for (let round = 0; round < rounds; round += 1) {
      const go = barrier(2);
      await Promise.all(
        ([0, 1] as const).map(async (side) => {
          await go();
          return pools[side].cell('cell_1', (tx) => {
            attempts += 1;
            return runMeter.take(tx, orders[side], NOW);
          });
        }),
      );
    }
    expect(attempts).toBe(rounds * 2);
    const miscounted = await testDb().sql(
      'select from workspace_run_usage where workspace_id = any ($1::uuid[]) and runs_used <> $2',
      [workspaceIds, rounds * 2],
    );
    expect(miscounted).toEqual([]);
  }, 60_000);
});
