import { Signal, useTestDb } from '#platform/testing';
import { runErrors } from '../errors';
import type { NodeOutcome } from '../nodes/node-kind';
import { chain, controlRooms, heldLeases, startTestEngine, type TestEngine, TestRuns } from '../testing';

// Workers start and are lost here, which takes its time on a busy machine.
jest.setTimeout(30_000);

describe('the explanation of a run', () => {
  const testDb = useTestDb({ leases: heldLeases });
  let worker: TestEngine;
  let rooms: ReturnType<typeof controlRooms>;
  const runs = new TestRuns(testDb, () => worker);

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url);
    rooms = controlRooms(testDb(), worker);
    testDb().beforeClose(() => worker.drain());
  });

  it('follows it from node to node to its end', async () => {
    const begun = new Signal<void>();
    const done = new Signal<NodeOutcome>();
    worker.effects.script('send', () => {
      begun.give();
      return done.arrived;
    });
    const { workspaceId, runId } = await runs.start({
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'send', type: 'test.effect' },
        { id: 'ask', type: 'wait.callback' },
      ],
      edges: chain('start', 'send', 'ask'),
    });
    await begun.arrived;
    expect(await rooms.explanations.explain(workspaceId, runId)).toMatchObject({
      status: 'running',
      reason: 'executing',
      sentence: expect.stringContaining(`the worker ${process.pid} on`),
      what: [{ nodeId: 'send' }],
    });
    done.give({ kind: 'done', output: null });
    await runs.inState(runId, 'parked');
    expect(await rooms.explanations.explain(workspaceId, runId)).toMatchObject({
      status: 'waiting',
      reason: 'waiting',
      what: [{ nodeId: 'ask', sentence: expect.stringContaining('waits for a call of its address') }],
    });
    await rooms.engine.cancel(workspaceId, runId);
    expect(await rooms.explanations.explain(workspaceId, runId)).toMatchObject({
      status: 'canceled',
      reason: 'finished',
    });
    const { workspaceId: foreign } = await runs.start({
      nodes: [{ id: 'start', type: 'trigger.manual' }],
      edges: [],
    });
    await expect(rooms.explanations.explain(foreign, runId)).rejects.toMatchObject({
      type: runErrors.not_found,
    });
  });

  it('counts what goes before a queued run, and says when no worker lives', async () => {
    const {
      workspaceId,
      runId: running,
      ...workflow
    } = await runs.start({
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'wait', type: 'delay', params: { seconds: 3600 } },
      ],
      edges: chain('start', 'wait'),
    });
    await runs.inState(running, 'parked');
    await worker.drain();
    const idle = await startTestEngine(testDb().db, testDb().url, { idle: 'idle' });
    worker = idle;
    const queued: string[] = [];
    for (let i = 0; i < 3; i += 1) queued.push(await runs.startOf({ workspaceId, ...workflow }));
    const said = () => rooms.explanations.explain(workspaceId, queued[2] ?? '');
    expect(await said()).toMatchObject({ status: 'queued', reason: 'no_worker' });
    await runs.sql(
      `insert into engine_workers (id, host, pid, lease_until) values (gen_random_uuid(), 'beta', 1, now() + interval '1 hour')`,
    );
    expect(await said()).toMatchObject({
      reason: 'queued',
      sentence: expect.stringContaining('2 runs go before it'),
    });
    await runs.sql(`delete from engine_workers where host = 'beta'`);
    for (const runId of [running, ...queued]) await rooms.engine.cancel(workspaceId, runId);
  });
});
