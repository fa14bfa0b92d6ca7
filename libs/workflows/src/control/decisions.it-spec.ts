import { eventually, Signal, useTestDb } from '#platform/testing';
import { runErrors } from '../errors';
import type { NodeOutcome } from '../nodes/node-kind';
import {
  chain,
  controlRooms,
  heldLeases,
  ScriptedEffects,
  somebody,
  startTestEngine,
  type TestEngine,
  TestRuns,
} from '../testing';
import { decisionBody } from './decisions.dto';

// Workers start and are lost here, which takes its time on a busy machine.
jest.setTimeout(30_000);

describe('a decision', () => {
  const testDb = useTestDb({ leases: heldLeases, poolSize: 20 });
  const effects = new ScriptedEffects();
  let worker: TestEngine;
  let rooms: ReturnType<typeof controlRooms>;
  const runs = new TestRuns(testDb, () => worker);

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url, { effects });
    rooms = controlRooms(testDb(), worker);
    testDb().beforeClose(() => worker.drain());
  });

  const body = (more: object) => decisionBody.parse({ nodeId: 'pay', ...more });
  const definition = {
    nodes: [
      { id: 'start', type: 'trigger.manual' },
      { id: 'pay', type: 'test.effect', params: { amount: '{{ trigger.amount }}' }, repeat: 'unsafe' },
      { id: 'after', type: 'set', params: { values: { paid: '{{ nodes.pay.by }}' } } },
    ],
    edges: chain('start', 'pay', 'after'),
  };

  /** A run whose worker was lost in the middle of a payment. */
  async function interrupted() {
    const begun = new Signal<void>();
    effects.script('pay', () => {
      begun.give();
      return new Promise<NodeOutcome>(() => {});
    });
    const workflow = await runs.start(definition, { amount: 5 });
    await begun.arrived;
    await worker.die();
    // As it would be a lease after its last sign of life.
    await runs.sql(`update engine_workers set lease_until = now() - interval '1 minute'`);
    effects.script('pay', (_signal, { attempt }) =>
      Promise.resolve({ kind: 'done', output: { by: `attempt ${attempt}` } }),
    );
    worker = await startTestEngine(testDb().db, testDb().url, { effects });
    await runs.inState(workflow.runId, 'undecided');
    return {
      ...workflow,
      address: { workspaceId: workflow.workspaceId, runId: workflow.runId, principal: somebody },
    };
  }

  it('is asked for with the evidence, and nothing else of the node is shown', async () => {
    const { workspaceId, runId, workflowId, address } = await interrupted();
    const { data } = await rooms.decisions.list(workspaceId, { afterId: null, limit: 20 });
    const evidence = { attempt: 1, startedAt: expect.any(String), request: { amount: 5 } };
    expect(data).toEqual([{ runId, workflowId, nodeId: 'pay', iteration: '', evidence }]);
    expect(await rooms.runs.get(workspaceId, runId)).toMatchObject({ status: 'needs_decision' });
    const pay = (await rooms.runs.nodeRuns(workspaceId, runId)).find(({ nodeId }) => nodeId === 'pay');
    expect(pay).toMatchObject({ status: 'waiting', waitingFor: 'decision', evidence, calledRunId: null });
    await rooms.decisions.decide(address, body({ decision: 'fail' }));
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'failed',
      error: { code: 'node.decided_to_fail' },
    });
    expect(await rooms.decisions.list(workspaceId, { afterId: null, limit: 20 })).toMatchObject({ data: [] });
    const decided = (await runs.eventsOf(runId)).find(({ type }) => type === 'node.decided');
    expect(decided).toMatchObject({ nodeId: 'pay', decision: 'fail', by: expect.stringMatching(/^user:/) });
  });

  it('repeats the node, or lets the run go on without it', async () => {
    const repeated = await interrupted();
    await rooms.decisions.decide(repeated.address, body({ decision: 'repeat', attempt: 1 }));
    expect(await runs.ended(repeated.runId)).toMatchObject({ output: { after: { paid: 'attempt 2' } } });
    const skipped = await interrupted();
    await rooms.decisions.decide(
      skipped.address,
      body({ decision: 'skip', value: { by: 'hand' }, port: 'out' }),
    );
    expect(await runs.ended(skipped.runId)).toMatchObject({ output: { after: { paid: 'hand' } } });
  });

  // Both see the node waiting. With `on conflict do update` in insert-signal both were accepted.
  it('counts when it is the first; the other one hears that it was too late', async () => {
    const { runId, address } = await interrupted();
    const other = controlRooms(testDb(), worker);
    const [one, two] = [new Signal<void>(), new Signal<void>()];
    await Promise.all([
      testDb().db.cell('cell_1', async (tx) => {
        await tx.query(
          { name: 'test-hold', text: 'select 1 from run_queue where run_id = $1::uuid for update' },
          runId,
        );
        one.give();
        await two.arrived;
      }),
      (async () => {
        await one.arrived;
        const both = [rooms, other].map((room, i) =>
          room.decisions.decide(address, body({ decision: i === 0 ? 'repeat' : 'fail' })),
        );
        await eventually(async () => {
          const waiting = await runs.sql(
            `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%run_queue%for update%'`,
          );
          expect(waiting).toHaveLength(2);
        });
        two.give();
        const settled = await Promise.allSettled(both);
        expect(settled.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
        const rejected = settled.find((each) => each.status === 'rejected');
        expect([runErrors.already_decided, runErrors.nothing_to_decide]).toContain(rejected?.reason.type);
      })(),
    ]);
    await runs.ended(runId);
    const decided = (await runs.eventsOf(runId)).filter(({ type }) => type === 'node.decided');
    expect(decided).toHaveLength(1);
  });

  // The node has gone on and waits again: for a call. Without waits-for-decision behind insert-signal the late decision
  // was kept, and ended that wait as its answer.
  it('that comes too late is kept for nothing', async () => {
    const { workspaceId, runId } = await runs.start({
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'pay', type: 'wait.callback' },
      ],
      edges: chain('start', 'pay'),
    });
    await runs.inState(runId, 'parked');
    const late = rooms.decisions.decide(
      { workspaceId, runId, principal: somebody },
      body({ decision: 'repeat' }),
    );
    await expect(late).rejects.toMatchObject({ type: runErrors.nothing_to_decide });
    expect(await runs.sql('select from run_signals where run_id = $1', [runId])).toEqual([]);
    await runs.inState(runId, 'parked');
    await rooms.engine.cancel(workspaceId, runId);
  });

  it('is about the attempt it names, about a port of the node, and of the own workspace', async () => {
    const { runId, workspaceId, address } = await interrupted();
    const stale = rooms.decisions.decide(address, body({ decision: 'fail', attempt: 2 }));
    await expect(stale).rejects.toMatchObject({ type: runErrors.nothing_to_decide });
    const port = rooms.decisions.decide(address, body({ decision: 'skip', port: 'left' }));
    await expect(port).rejects.toMatchObject({ type: runErrors.decision_port_unknown });
    const foreign = (await runs.start({ nodes: [{ id: 'start', type: 'trigger.manual' }], edges: [] }))
      .workspaceId;
    const outside = rooms.decisions.decide({ ...address, workspaceId: foreign }, body({ decision: 'fail' }));
    await expect(outside).rejects.toMatchObject({ type: runErrors.not_found });
    expect(await rooms.decisions.list(foreign, { afterId: null, limit: 20 })).toMatchObject({ data: [] });
    expect(await rooms.engine.cancel(workspaceId, runId)).toBe('canceled');
    const over = rooms.decisions.decide(address, body({ decision: 'fail' }));
    await expect(over).rejects.toMatchObject({ type: runErrors.nothing_to_decide });
  });
});
