import { eventually, Signal, useTestDb } from '#platform/testing';
import { workflowErrors } from '../errors';
import type { NodeOutcome } from '../nodes/node-kind';
import {
  aPublishedWorkflow,
  chain,
  controlRooms,
  heldLeases,
  ScriptedEffects,
  startTestEngine,
  type TestEngine,
  TestRuns,
} from '../testing';

// Hundreds of runs take their time on a busy machine.
jest.setTimeout(60_000);

describe('canceling all runs of a workflow', () => {
  const testDb = useTestDb({ leases: heldLeases, poolSize: 20 });
  const effects = new ScriptedEffects();
  const workers: TestEngine[] = [];
  let rooms: ReturnType<typeof controlRooms>;
  const first = (): TestEngine => {
    const [worker] = workers;
    if (!worker) throw new Error('No worker has been started.');
    return worker;
  };
  const runs = new TestRuns(testDb, first);

  beforeAll(async () => {
    for (let i = 0; i < 3; i += 1) {
      workers.push(
        await startTestEngine(testDb().db, testDb().url, {
          effects,
          environment: { WORKER_CONCURRENCY: '5' },
        }),
      );
    }
    rooms = controlRooms(testDb(), first());
    testDb().beforeClose(async () => {
      for (const worker of workers) await worker.drain();
    });
  });

  const waiting = {
    nodes: [
      { id: 'start', type: 'trigger.manual' },
      { id: 'wait', type: 'delay', params: { seconds: 3600 } },
    ],
    edges: chain('start', 'wait'),
  };
  const outcomesOf = (workflowId: string) =>
    runs.sql<{ outcome: string | null; count: number }>(
      'select outcome, count(*)::integer as count from workflow_runs where workflow_id = $1 group by 1 order by 1',
      [workflowId],
    );
  const startMany = (workflow: Parameters<typeof runs.startOf>[0], count: number) =>
    Promise.all(Array.from({ length: count }, () => runs.startOf(workflow)));

  it('ends those that nobody holds, and has several workers abort what they execute', async () => {
    const aborted: string[] = [];
    const begun = new Set<string>();
    const all = new Signal<void>();
    effects.script('slow', (signal, { runId }) => {
      begun.add(runId);
      if (begun.size === 15) all.give();
      const done = new Signal<NodeOutcome>();
      signal.addEventListener('abort', () => {
        aborted.push(runId);
        done.give({ kind: 'failed', error: { code: 'test.aborted', message: 'aborted' } });
      });
      return done.arrived;
    });
    // Fifteen are all that three workers take; the others stay in the queue.
    const workflow = await aPublishedWorkflow(testDb(), {
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'slow', type: 'test.effect' },
      ],
      edges: chain('start', 'slow'),
    });
    const started = await startMany(workflow, 40);
    const other = await runs.start(waiting);
    await all.arrived;
    const { workspaceId, workflowId } = workflow;
    expect(await rooms.cancelAll.cancel(workspaceId, workflowId, {})).toEqual({
      canceled: 25,
      requested: 15,
      more: false,
    });
    await Promise.all(started.map((runId) => runs.ended(runId)));
    expect(await outcomesOf(workflowId)).toEqual([{ outcome: 'canceled', count: 40 }]);
    expect(aborted.toSorted()).toEqual([...begun].toSorted());
    // What was in the queue never began.
    expect(effects.calls.filter(({ runId }) => started.includes(runId))).toHaveLength(15);
    for (const runId of started)
      expect((await runs.eventsOf(runId)).at(-1)).toMatchObject({ type: 'run.canceled' });
    await runs.inState(other.runId, 'parked');
    await rooms.engine.cancel(other.workspaceId, other.runId);
  });

  // Fault 12 of a predecessor: the end of a node wrote over the cancellation. Several guards hold this here, so none of
  // them alone makes it fail when it is taken out; without the abort in RunExecution the run never ended.
  it('stays canceled though the node that was executing has succeeded meanwhile', async () => {
    const begun = new Signal<void>();
    effects.script('slow', (signal) => {
      begun.give();
      const done = new Signal<NodeOutcome>();
      signal.addEventListener('abort', () => done.give({ kind: 'done', output: 'too late' }));
      return done.arrived;
    });
    const { workspaceId, workflowId, runId } = await runs.start({
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'slow', type: 'test.effect' },
      ],
      edges: chain('start', 'slow'),
    });
    await begun.arrived;
    expect(await rooms.cancelAll.cancel(workspaceId, workflowId, {})).toMatchObject({ requested: 1 });
    expect(await runs.ended(runId)).toMatchObject({ outcome: 'canceled', output: null });
    expect(await runs.nodesOf(runId)).toEqual({ start: 'succeeded', slow: 'canceled' });
    expect(await rooms.cancelAll.cancel(workspaceId, workflowId, {})).toEqual({
      canceled: 0,
      requested: 0,
      more: false,
    });
    expect(await outcomesOf(workflowId)).toEqual([{ outcome: 'canceled', count: 1 }]);
  });

  it('goes through any number in batches, and takes only the runs of one status when told to', async () => {
    const workflow = await aPublishedWorkflow(testDb(), waiting);
    const started = await startMany(workflow, 450);
    const { workspaceId, workflowId } = workflow;
    await eventually(
      async () => {
        const parked = await runs.sql(`select from run_queue where workflow_id = $1 and state = 'parked'`, [
          workflowId,
        ]);
        expect(parked).toHaveLength(started.length);
      },
      { timeoutMs: 20_000 },
    );
    const none = await rooms.cancelAll.cancel(workspaceId, workflowId, { status: ['queued', 'running'] });
    expect(none).toEqual({ canceled: 0, requested: 0, more: false });
    const all = await rooms.cancelAll.cancel(workspaceId, workflowId, { status: ['waiting'] });
    expect(all).toEqual({ canceled: 450, requested: 0, more: false });
    expect(await outcomesOf(workflowId)).toEqual([{ outcome: 'canceled', count: 450 }]);
  });

  it('cancels the runs that they called', async () => {
    const child = await aPublishedWorkflow(testDb(), {
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'wait', type: 'delay', params: { seconds: 3600 } },
      ],
      edges: chain('start', 'wait'),
    });
    const { workspaceId } = child;
    const parent = await runs.start(
      {
        nodes: [
          { id: 'start', type: 'trigger.manual' },
          { id: 'call', type: 'run.workflow', params: { workflowId: child.workflowId } },
        ],
        edges: chain('start', 'call'),
      },
      {},
      workspaceId,
    );
    await runs.inState(parent.runId, 'parked');
    const [called] = await runs.sql<{ run_id: string }>(
      'select run_id from run_queue where parent_run_id = $1',
      [parent.runId],
    );
    await runs.inState(called?.run_id ?? '', 'parked');
    expect(await rooms.cancelAll.cancel(workspaceId, parent.workflowId, {})).toMatchObject({ canceled: 1 });
    expect(await runs.ended(called?.run_id ?? '')).toMatchObject({ outcome: 'canceled' });
  });

  // Waiting for a row while holding others could end in a deadlock. Without `skip locked` this one waited for ever.
  it('passes over a row that somebody else is at, and says that it is left', async () => {
    const workflow = await aPublishedWorkflow(testDb(), waiting);
    const [one = '', two = ''] = await startMany(workflow, 2);
    for (const runId of [one, two]) await runs.inState(runId, 'parked');
    const { workspaceId, workflowId } = workflow;
    await testDb().db.cell('cell_1', async (tx) => {
      await tx.query(
        { name: 'test-hold-run', text: 'select 1 from run_queue where run_id = $1::uuid for update' },
        one,
      );
      expect(await rooms.cancelAll.cancel(workspaceId, workflowId, {})).toEqual({
        canceled: 1,
        requested: 0,
        more: true,
      });
    });
    expect(await rooms.cancelAll.cancel(workspaceId, workflowId, {})).toEqual({
      canceled: 1,
      requested: 0,
      more: false,
    });
  });

  it('knows no workflow of another workspace', async () => {
    const mine = await aPublishedWorkflow(testDb(), waiting);
    const theirs = await runs.start(waiting);
    await runs.inState(theirs.runId, 'parked');
    const foreign = rooms.cancelAll.cancel(mine.workspaceId, theirs.workflowId, {});
    await expect(foreign).rejects.toMatchObject({ type: workflowErrors.not_found });
    await runs.inState(theirs.runId, 'parked');
    await rooms.engine.cancel(theirs.workspaceId, theirs.runId);
  });
});
