import { eventually, Signal, useTestDb } from '#platform/testing';
import type { JsonObject } from '../definition/json';
import type { NodeOutcome } from '../nodes/node-kind';
import {
  aPublishedWorkflow,
  chain,
  heldLeases,
  ScriptedEffects,
  startTestEngine,
  type TestEngine,
  TestRuns,
} from '../testing';
import type { Engine } from './engine';

jest.setTimeout(30_000);

const done: NodeOutcome = { kind: 'done', output: 'done' };

const callee = {
  nodes: [
    { id: 'start', type: 'trigger.manual' },
    { id: 'work', type: 'test.effect' },
    { id: 'answer', type: 'set', params: { values: { twice: '{{ trigger.n * 2 }}' } } },
  ],
  edges: chain('start', 'work', 'answer'),
};

function caller(workflowId: string, params: JsonObject = {}) {
  return {
    nodes: [
      { id: 'start', type: 'trigger.manual' },
      {
        id: 'call',
        type: 'run.workflow',
        params: { workflowId, input: { n: '{{ trigger.n }}' }, ...params },
      },
      { id: 'after', type: 'set', params: { values: { got: '{{ nodes.call }}' } } },
    ],
    edges: chain('start', 'call', 'after'),
  };
}

describe('a workflow that runs another one', () => {
  const testDb = useTestDb({ leases: heldLeases });
  let worker: TestEngine;
  let door: Engine;
  const runs = new TestRuns(testDb, () => worker);

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url);
    door = worker.door;
    testDb().beforeClose(() => worker.drain());
  });

  const childOf = (runId: string) =>
    eventually(async () => {
      const [child] = await runs.sql<{ id: string }>(
        `select id from workflow_runs where origin -> 'parent' ->> 'runId' = $1`,
        [runId],
      );
      if (!child) throw new Error('There is no called run.');
      return child.id;
    });

  it('waits for its end without being held, and goes on with its output', async () => {
    const gate = new Signal<NodeOutcome>();
    worker.effects.script('work', () => gate.arrived);
    const called = await aPublishedWorkflow(testDb(), callee);
    const { runId } = await runs.start(caller(called.workflowId), { n: 21 }, called.workspaceId);
    const childId = await childOf(runId);
    await runs.inState(runId, 'parked');
    gate.give(done);
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'succeeded',
      output: { after: { got: { runId: childId, output: { answer: { twice: 42 } } } } },
    });
    expect(await runs.sql('select from run_signals where run_id = $1', [runId])).toEqual([]);
  });

  it('does not wait when it need not', async () => {
    const gate = new Signal<NodeOutcome>();
    worker.effects.script('work', () => gate.arrived);
    const called = await aPublishedWorkflow(testDb(), callee);
    const { runId } = await runs.start(
      caller(called.workflowId, { wait: false }),
      { n: 1 },
      called.workspaceId,
    );
    const { output } = await runs.ended(runId);
    const [child] = await runs.sql<{ id: string }>(
      `select id from workflow_runs where origin ->> 'startedByRun' = $1`,
      [runId],
    );
    expect(output).toEqual({ after: { got: { runId: child?.id } } });
    gate.give(done);
    expect(await runs.ended(child?.id ?? '')).toMatchObject({ outcome: 'succeeded' });
  });

  it('fails as its call fails', async () => {
    worker.effects.script('work', () =>
      Promise.resolve({ kind: 'failed', error: { code: 'test.broken', message: 'broken' } }),
    );
    const called = await aPublishedWorkflow(testDb(), callee);
    const { runId } = await runs.start(caller(called.workflowId), { n: 1 }, called.workspaceId);
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'failed',
      error: { code: 'node.child_failed', nodeId: 'call', details: { code: 'test.broken' } },
    });
  });

  it('takes what it called down with it when it is canceled, whatever that is doing', async () => {
    worker.effects.script(
      'work',
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(done))),
    );
    const called = await aPublishedWorkflow(testDb(), callee);
    const busy = await runs.start(caller(called.workflowId), { n: 1 }, called.workspaceId);
    const busyChild = await childOf(busy.runId);
    await runs.inState(busy.runId, 'parked');
    await eventually(() => expect(worker.effects.calls.some((call) => call.runId === busyChild)).toBe(true));
    expect(await door.cancel(busy.workspaceId, busy.runId)).toBe('canceled');
    expect(await runs.ended(busyChild)).toMatchObject({ outcome: 'canceled' });

    const sleeper = await aPublishedWorkflow(testDb(), {
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'year', type: 'delay', params: { duration: 'P365D' } },
      ],
      edges: chain('start', 'year'),
    });
    const asleep = await runs.start(caller(sleeper.workflowId), { n: 1 }, sleeper.workspaceId);
    const asleepChild = await childOf(asleep.runId);
    await runs.inState(asleepChild, 'parked');
    await runs.inState(asleep.runId, 'parked');
    expect(await door.cancel(asleep.workspaceId, asleep.runId)).toBe('canceled');
    expect(await runs.ended(asleepChild)).toMatchObject({ outcome: 'canceled' });
    expect(await runs.nodesOf(asleepChild)).toMatchObject({ year: 'canceled' });
  });

  it('takes what it called down with it when it fails', async () => {
    worker.effects.script(
      'work',
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(done))),
    );
    const called = await aPublishedWorkflow(testDb(), callee);
    const { nodes, edges } = caller(called.workflowId);
    const { runId } = await runs.start(
      {
        nodes: [
          ...nodes,
          { id: 'short', type: 'delay', params: { seconds: 0.3 } },
          { id: 'stop', type: 'fail', params: { message: 'x' } },
        ],
        edges: [...edges, ...chain('start', 'short', 'stop')],
      },
      { n: 1 },
      called.workspaceId,
    );
    const childId = await childOf(runId);
    expect(await runs.ended(runId)).toMatchObject({ outcome: 'failed', error: { nodeId: 'stop' } });
    // Seen to fail (the called run stays) when a run that ends tells nobody and the sweep for orphans is taken out.
    expect(await runs.ended(childId)).toMatchObject({ outcome: 'canceled' });
  });

  it('fails when the run it called is canceled by itself', async () => {
    const sleeper = await aPublishedWorkflow(testDb(), {
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'year', type: 'delay', params: { duration: 'P365D' } },
      ],
      edges: chain('start', 'year'),
    });
    const { runId, workspaceId } = await runs.start(
      caller(sleeper.workflowId),
      { n: 1 },
      sleeper.workspaceId,
    );
    const childId = await childOf(runId);
    await runs.inState(childId, 'parked');
    expect(await door.cancel(workspaceId, childId)).toBe('canceled');
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'failed',
      error: { code: 'node.child_canceled' },
    });
  });

  it('calls once although its worker is lost before it has noted the call, and hears of an end that came meanwhile', async () => {
    const effects = new ScriptedEffects();
    await worker.drain();
    const first = await startTestEngine(testDb().db, testDb().url, { effects });
    const onFirst = new TestRuns(testDb, () => first);
    const called = await aPublishedWorkflow(testDb(), callee);
    const { runId } = await onFirst.start(caller(called.workflowId), { n: 4 }, called.workspaceId);
    const childId = await childOf(runId);
    await onFirst.ended(childId);
    await onFirst.ended(runId);
    await first.drain();
    // As if the worker had died right after the start of the called run: nothing of the call is recorded.
    await runs.sql(
      `with w as (update workflow_runs set outcome = null, finished_at = null, output = null where id = $1 returning *)
       insert into run_queue (run_id, workspace_id, workflow_id, state, turn, claims)
       select id, workspace_id, workflow_id, 'queued', 1, 1 from w`,
      [runId],
    );
    await runs.sql(`delete from workflow_node_runs where run_id = $1 and node_id in ('call', 'after')`, [
      runId,
    ]);
    await runs.sql(
      `insert into run_signals (run_id, node_id, workspace_id, message)
       values ($1, 'call', $2, '{"outcome":"succeeded","output":{"answer":{"twice":8}},"error":null}')`,
      [runId, called.workspaceId],
    );
    worker = await startTestEngine(testDb().db, testDb().url, { effects });
    expect(await runs.ended(runId)).toMatchObject({ output: { after: { got: { runId: childId } } } });
    const children = await runs.sql(`select from workflow_runs where origin -> 'parent' ->> 'runId' = $1`, [
      runId,
    ]);
    expect(children).toHaveLength(1);
    expect(await runs.sql('select from run_signals where run_id = $1', [runId])).toEqual([]);
  }, 40_000);
});
