import { randomUUID } from 'node:crypto';
import { PinnedClock, useTestDb } from '#platform/testing';
import { type WorkspacePlan, WorkspacePlans } from '../ports';
import { RunMeter } from './run-meter';
import { Usage } from './usage.service';

const ANCHOR = new Date('2026-01-31T00:00:00Z');

class KnownPlans extends WorkspacePlans {
  constructor(private readonly known: ReadonlyMap<string, WorkspacePlan>) {
    super();
  }

  of() {
    return Promise.resolve(this.known);
  }
}

describe('Usage', () => {
  const testDb = useTestDb();
  const clock = new PinnedClock('2026-03-10T12:00:00Z');

  async function aWorkspaceOn(plan: string) {
    const id = randomUUID();
    await testDb().sql('insert into tenants (workspace_id) values ($1)', [id]);
    await testDb().sql(`insert into workspace_directory (workspace_id, cell_id) values ($1, 'cell_1')`, [id]);
    const plans = new KnownPlans(new Map([[id, { plan, anchorAt: ANCHOR }]]));
    return { id, plans, usage: new Usage(testDb().db, clock, plans) };
  }

  it('shows an untouched period without opening it', async () => {
    const { id, usage } = await aWorkspaceOn('solo');
    expect(await usage.current(id)).toEqual({
      plan: 'solo',
      period: { start: '2026-02-28T00:00:00.000Z', end: '2026-03-31T00:00:00.000Z' },
      runs: { used: 0, limit: 250, remaining: 250 },
    });
    expect(await testDb().sql('select from workspace_run_usage where workspace_id = $1', [id])).toEqual([]);
  });

  it.each([
    ['solo', { used: 7, limit: 250, remaining: 243 }],
    ['enterprise', { used: 7, limit: null, remaining: null }],
  ])('shows what was taken on the plan %s', async (plan, runs) => {
    const { id, plans, usage } = await aWorkspaceOn(plan);
    const runMeter = new RunMeter(testDb().db, plans);
    await runMeter.ensurePeriods([id], clock.now());
    await testDb().db.cell('cell_1', (tx) => runMeter.take(tx, [{ workspaceId: id, runs: 7 }], clock.now()));
    expect((await usage.current(id)).runs).toEqual(runs);
  });

  it('knows no use of a workspace that does not exist', async () => {
    const { usage } = await aWorkspaceOn('solo');
    await expect(usage.current(randomUUID())).rejects.toMatchObject({ code: 'request.not_found' });
  });
});
