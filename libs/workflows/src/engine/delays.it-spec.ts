import { eventually, useTestDb } from '#platform/testing';
import { chain, ScriptedEffects, startTestEngine, type TestEngine, TestRuns } from '../testing';

jest.setTimeout(30_000);

describe('a delay', () => {
  // Without a look at leases: one worker dies.
  const testDb = useTestDb();
  const effects = new ScriptedEffects();
  let worker: TestEngine;
  const runs = new TestRuns(testDb, () => worker);
  const startWorker = async () => {
    worker = await startTestEngine(testDb().db, testDb().url, { effects });
  };
  beforeAll(async () => {
    await startWorker();
    testDb().beforeClose(() => worker.drain());
  });

  const callsOf = (runId: string) =>
    effects.calls.filter((call) => call.runId === runId).map(({ nodeId }) => nodeId);
  const delay = (id: string) => ({ id, type: 'delay', params: { seconds: 3600 } });
  const effect = (id: string, join: 'all' | 'any' = 'all') => ({ id, type: 'test.effect', join });
  const makeDue = async (runId: string, nodeId: string) => {
    await runs.sql(`update workflow_node_runs set resume_at = now() where run_id = $1 and node_id = $2`, [
      runId,
      nodeId,
    ]);
    await runs.sql('update run_queue set resume_at = now() where run_id = $1', [runId]);
  };

  it('keeps what other branches have done and have still to do, through the loss of its worker', async () => {
    const { runId } = await runs.start({
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        effect('left'),
        delay('short'),
        effect('after_short'),
        effect('right'),
        delay('long'),
        effect('after_long'),
        effect('both'),
      ],
      edges: [
        ...chain('start', 'left', 'short', 'after_short', 'both'),
        ...chain('start', 'right', 'long', 'after_long', 'both'),
      ],
    });
    await runs.inState(runId, 'parked');
    expect(callsOf(runId).toSorted()).toEqual(['left', 'right']);
    await worker.die();
    await startWorker();
    await makeDue(runId, 'short');
    await eventually(() => expect(callsOf(runId)).toHaveLength(3));
    await runs.inState(runId, 'parked');
    await makeDue(runId, 'long');
    expect(await runs.ended(runId)).toMatchObject({ outcome: 'succeeded' });
    expect(callsOf(runId).slice(2)).toEqual(['after_short', 'after_long', 'both']);
    await runs.eventsOf(runId);
  });

  it('that is the last node of all ends the run, which begins nothing anew', async () => {
    const { runId } = await runs.start({
      nodes: [{ id: 'start', type: 'trigger.manual' }, effect('once'), delay('pause')],
      edges: chain('start', 'once', 'pause'),
    });
    await runs.inState(runId, 'parked');
    await makeDue(runId, 'pause');
    expect(await runs.ended(runId)).toMatchObject({ outcome: 'succeeded' });
    expect(callsOf(runId)).toEqual(['once']);
    const [{ claims } = {}] = await runs.sql<{ claims: number }>(
      `select count(*)::int as claims from workflow_run_events, json_array_elements(events) e
        where run_id = $1 and e ->> 'type' in ('run.started', 'run.resumed')`,
      [runId],
    );
    expect(claims).toBe(2);
    expect(await runs.sql('select from run_queue where run_id = $1', [runId])).toEqual([]);
  });

  it('holds up neither a join of any, nor what comes by the other way', async () => {
    const { runId } = await runs.start({
      nodes: [{ id: 'start', type: 'trigger.manual' }, delay('slow'), effect('fast'), effect('first', 'any')],
      edges: [...chain('start', 'slow', 'first'), ...chain('start', 'fast', 'first')],
    });
    await eventually(() => expect(callsOf(runId)).toEqual(['fast', 'first']));
    await runs.inState(runId, 'parked');
    await makeDue(runId, 'slow');
    expect(await runs.ended(runId)).toMatchObject({ outcome: 'succeeded' });
    expect(callsOf(runId)).toEqual(['fast', 'first']);
  });
});
