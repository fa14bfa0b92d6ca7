import { CollectingLogger, eventually, PinnedClock, useTestDb } from '#platform/testing';
import { RunLimits, type WorkspaceRunLimits } from '../ports';
import { aPublishedWorkflow, heldLeases, PlannedLimits, startTestEngine, type TestEngine } from '../testing';
import { storageBudget } from './storage-budget';

const signal = new AbortController().signal;

class Budgets extends RunLimits {
  readonly bytes = new Map<string, number>();

  of(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, WorkspaceRunLimits>> {
    const limits = (id: string): WorkspaceRunLimits => ({
      planName: 'Test', concurrentRuns: null, concurrentRunsPerWorkflow: null, startsPerFiveMinutes: null,
      retentionDays: 30, historyBytes: this.bytes.get(id) ?? null,
    }); // prettier-ignore
    return Promise.resolve(new Map(workspaceIds.map((id) => [id, limits(id)])));
  }

  retentionClasses(): readonly number[] {
    return [30];
  }
}

describe('the storage budget', () => {
  const testDb = useTestDb({ leases: heldLeases });
  const limits = new Budgets();
  const logger = new CollectingLogger();
  let worker: TestEngine;

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url, {
      limits: new PlannedLimits({ retentionDays: 30 }),
    });
    testDb().beforeClose(() => worker.drain());
  });

  const budget = () => storageBudget({ db: testDb().db, logger, limits }, 'cell_1').runOnce(signal);

  /** What the tables hold, computed from the rows themselves. */
  async function truth(workspaceId: string) {
    const [row] = await testDb().sql<{ runs: number; bytes: number }>(
      `select count(*)::int as runs, coalesce(sum(octet_length(input::text) + coalesce(octet_length(output::text), 0)
              + coalesce(octet_length(error::text), 0)
              + (select coalesce(sum(coalesce(octet_length(n.output::text), 0) + coalesce(octet_length(n.error::text), 0)), 0)
                   from workflow_node_runs n where n.run_id = r.id)
              + (select coalesce(sum(octet_length(e.events::text)), 0) from workflow_run_events e where e.run_id = r.id)), 0)::int
              as bytes
         from workflow_runs r where workspace_id = $1`,
      [workspaceId],
    );
    return row;
  }
  const tally = async (workspaceId: string) =>
    (
      await testDb().sql<{ runs: number; bytes: number }>(
        'select sum(runs)::int as runs, sum(bytes)::int as bytes from workspace_history where workspace_id = $1',
        [workspaceId],
      )
    )[0];
  const runIds = async (workspaceId: string) =>
    (
      await testDb().sql<{ id: string }>('select id from workflow_runs where workspace_id = $1 order by id', [
        workspaceId,
      ])
    ).map(({ id }) => id);

  it('is counted to the byte, and what goes is taken off to the byte', async () => {
    const workflow = await aPublishedWorkflow(testDb(), {
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'say', type: 'set', params: { values: { greeting: 'grüß dich {{ trigger.name }}' } } },
        { id: 'end', type: 'fail', params: { message: 'ends ✗' } },
      ],
      edges: [{ from: 'start', to: 'say' }, { from: 'say', to: 'end' }],
    }); // prettier-ignore
    const other = await aPublishedWorkflow(testDb(), {
      nodes: [{ id: 'start', type: 'trigger.manual' }],
      edges: [],
    });
    for (let n = 0; n < 120; n += 1) await worker.start(workflow, { name: `n${n}` });
    await worker.start(other, {});
    await eventually(
      async () => {
        expect((await tally(workflow.workspaceId))?.runs).toBe(120);
        expect((await tally(other.workspaceId))?.runs).toBe(1);
        expect(await testDb().sql('select from run_queue')).toEqual([]);
        expect(await tally(workflow.workspaceId)).toEqual(await truth(workflow.workspaceId));
      },
      { timeoutMs: 12_000 },
    );
    const before = await runIds(workflow.workspaceId);
    const all = (await truth(workflow.workspaceId))?.bytes ?? 0;
    limits.bytes.set(workflow.workspaceId, Math.floor(all / 2));
    expect((await budget()).rows).toBe(100);
    expect(await runIds(workflow.workspaceId)).toEqual(before.slice(100));
    expect(await tally(workflow.workspaceId)).toEqual(await truth(workflow.workspaceId));
    expect(await runIds(other.workspaceId)).toHaveLength(1);
    expect(await budget()).toEqual({ rows: 0, again: false });
    expect(logger.messages()).toEqual(['the oldest runs of a workspace went, to keep its storage budget']);
  }, 20_000);

  it('leaves what is not over, and never keeps a run from starting', async () => {
    const waiting = await aPublishedWorkflow(testDb(), {
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'wait', type: 'delay', params: { seconds: 31_536_000 } },
      ],
      edges: [{ from: 'start', to: 'wait' }],
    });
    const quick = await aPublishedWorkflow(
      testDb(),
      { nodes: [{ id: 'start', type: 'trigger.manual' }], edges: [] },
      { workspaceId: waiting.workspaceId },
    );
    limits.bytes.set(waiting.workspaceId, 0);
    const live = await worker.start(waiting, {});
    await worker.start(quick, {});
    await eventually(
      async () => {
        expect(await tally(waiting.workspaceId)).toMatchObject({ runs: 2 });
      },
      { timeoutMs: 12_000 },
    );
    await budget();
    expect(await runIds(waiting.workspaceId)).toEqual([live.kind === 'started' ? live.runId : '']);
    expect((await worker.start(quick, {})).kind).toBe('started');
  }, 20_000);

  it('is kept by schedulers that work together, each run taken off once', async () => {
    const [workspaceId, clock] = [
      '00000000-0000-4000-8000-000000000001',
      new PinnedClock('2026-11-20T00:00:00Z'),
    ];
    await testDb().sql('insert into tenants (workspace_id) values ($1)', [workspaceId]);
    await testDb().sql(
      `insert into workflow_runs (id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input,
                                  outcome, finished_at, retention_days)
       select ('019a9467-e800-7000-8000-' || lpad(n::text, 12, '0'))::uuid, $1, $1, $1, 'start', 'trigger.manual', 'user:test',
              '"12345678"', 'succeeded', $2, 30 from generate_series(1, 400) n`,
      [workspaceId, clock.now()],
    );
    await testDb().sql(
      `insert into workspace_history (workspace_id, retention_days, period_start, runs, bytes)
       values ($1, 30, '2025-11-17', 400, 4000)`,
      [workspaceId],
    );
    limits.bytes.set(workspaceId, 500);
    const again = await testDb().connectAgain();
    await Promise.all(
      [testDb().db, again].map((db) => storageBudget({ db, logger, limits }, 'cell_1').runOnce(signal)),
    );
    expect(await tally(workspaceId)).toEqual(await truth(workspaceId));
    expect((await tally(workspaceId))?.bytes).toBeLessThanOrEqual(500);
  });
});
