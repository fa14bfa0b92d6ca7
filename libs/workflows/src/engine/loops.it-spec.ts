import { eventually, Signal, useTestDb } from '#platform/testing';
import type { JsonObject } from '../definition/json';
import type { NodeOutcome } from '../nodes/node-kind';
import { chain, heldLeases, ScriptedEffects, startTestEngine, type TestEngine, TestRuns } from '../testing';

jest.setTimeout(30_000);

const done: NodeOutcome = { kind: 'done', output: 'done' };

/** A loop over the items of the trigger with one effect inside. */
function loopOf(params: JsonObject = {}) {
  return {
    nodes: [
      { id: 'start', type: 'trigger.manual' },
      { id: 'each', type: 'for_each', params: { items: '{{ trigger.items }}', ...params } },
      { id: 'call', type: 'test.effect', parent: 'each', params: { item: '{{ item }}' } },
      {
        id: 'sum',
        type: 'set',
        parent: 'each',
        params: { values: { was: '{{ item }}', at: '{{ index }}' } },
      },
      { id: 'after', type: 'set', params: { values: { count: '{{ $count(nodes.each.results) }}' } } },
    ],
    edges: [...chain('start', 'each', 'after'), ...chain('call', 'sum')],
  } as const;
}

describe('a loop', () => {
  const testDb = useTestDb({ leases: heldLeases });
  let worker: TestEngine;
  const runs = new TestRuns(testDb, () => worker);

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url);
    testDb().beforeClose(() => worker.drain());
  });

  const callsOf = (runId: string) => worker.effects.calls.filter((call) => call.runId === runId);

  it('runs its body once for each item, one after the other, and collects the results in order', async () => {
    const { runId } = await runs.start(loopOf(), { items: ['a', 'b', 'c'] });
    expect(await runs.ended(runId)).toMatchObject({ outcome: 'succeeded', output: { after: { count: 3 } } });
    const [each] = await runs.sql<{ output: unknown; state: unknown }>(
      `select output, state from workflow_node_runs where run_id = $1 and node_id = 'each'`,
      [runId],
    );
    const results = ['a', 'b', 'c'].map((was, at) => ({ sum: { was, at } }));
    expect(each).toEqual({ output: { results, failures: [] }, state: null });
    expect(callsOf(runId).map(({ iteration, idempotencyKey }) => [iteration, idempotencyKey])).toEqual(
      ['0', '1', '2'].map((iteration) => [iteration, `${runId}:call:${iteration}`]),
    );
    expect(await runs.nodesOf(runId)).toMatchObject({
      each: 'succeeded',
      'call:2': 'succeeded',
      'sum:0': 'succeeded',
    });
    await runs.eventsOf(runId);
  });

  it('gives no results for no items', async () => {
    const { runId } = await runs.start(loopOf(), { items: [] });
    expect(await runs.ended(runId)).toMatchObject({ output: { after: { count: 0 } } });
    expect(callsOf(runId)).toEqual([]);
  });

  it('has as many items under way as it may, and no more', async () => {
    const gate = new Signal();
    let atOnce = 0;
    let most = 0;
    worker.effects.script('call', async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await gate.arrived;
      atOnce -= 1;
      return done;
    });
    const { runId } = await runs.start(loopOf({ concurrency: 3 }), { items: [0, 1, 2, 3, 4, 5, 6] });
    await eventually(() => expect(atOnce).toBe(3));
    gate.give();
    expect(await runs.ended(runId)).toMatchObject({ output: { after: { count: 7 } } });
    expect(most).toBe(3);
    worker.effects.script('call', () => Promise.resolve(done));
  });

  it('collects the output of the node that it is told to', async () => {
    const { runId } = await runs.start(loopOf({ collect: 'sum', concurrency: 2 }), { items: [1, 2] });
    await runs.ended(runId);
    const [each] = await runs.sql<{ output: { results: unknown } }>(
      `select output from workflow_node_runs where run_id = $1 and node_id = 'each'`,
      [runId],
    );
    expect(each?.output.results).toEqual([
      { was: 1, at: 0 },
      { was: 2, at: 1 },
    ]);
  });

  it('ends with the first item that fails, gives up the others, and fails as any node does', async () => {
    worker.effects.script('call', async (signal, { iteration }) => {
      if (iteration === '1') return { kind: 'failed', error: { code: 'test.broken', message: 'broken' } };
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return done;
    });
    const { runId } = await runs.start(loopOf({ concurrency: 3 }), { items: [0, 1, 2, 3] });
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'failed',
      error: {
        code: 'node.item_failed',
        nodeId: 'each',
        details: { index: 1, nodeId: 'call', code: 'test.broken' },
      },
    });
    expect(await runs.nodesOf(runId)).toMatchObject({
      each: 'failed',
      'call:0': 'canceled',
      'call:1': 'failed',
      'call:2': 'canceled',
    });
    expect(callsOf(runId)).toHaveLength(3);
    worker.effects.script('call', () => Promise.resolve(done));
  });

  it('leaves a gap for an item that fails when it is to go on', async () => {
    worker.effects.script('call', (_signal, { iteration }) =>
      Promise.resolve(
        iteration === '1' ? { kind: 'failed', error: { code: 'test.broken', message: 'broken' } } : done,
      ),
    );
    const { runId } = await runs.start(loopOf({ onItemError: 'continue', collect: 'sum' }), {
      items: [7, 8, 9],
    });
    expect(await runs.ended(runId)).toMatchObject({ outcome: 'succeeded' });
    const [each] = await runs.sql<{ output: unknown }>(
      `select output from workflow_node_runs where run_id = $1 and node_id = 'each'`,
      [runId],
    );
    expect(each?.output).toEqual({
      results: [{ was: 7, at: 0 }, null, { was: 9, at: 2 }],
      failures: [{ index: 1, error: { code: 'test.broken', message: 'broken' } }],
    });
    worker.effects.script('call', () => Promise.resolve(done));
  });

  it('forgets what a node still computes when its item fails beside it', async () => {
    const [failing, passing] = [new Signal<NodeOutcome>(), new Signal<NodeOutcome>()];
    worker.effects.script('call', (_signal, { iteration }) =>
      iteration === '0' ? failing.arrived : Promise.resolve(done),
    );
    worker.effects.script('other', (_signal, { iteration }) =>
      iteration === '0' ? passing.arrived : Promise.resolve(done),
    );
    const { runId } = await runs.start(
      {
        nodes: [
          { id: 'start', type: 'trigger.manual' },
          {
            id: 'each',
            type: 'for_each',
            params: { items: '{{ trigger.items }}', onItemError: 'continue', collect: 'slow' },
          },
          { id: 'call', type: 'test.effect', parent: 'each' },
          { id: 'other', type: 'test.effect', parent: 'each' },
          { id: 'slow', type: 'set', parent: 'each', params: { values: { sum: '{{ $sum([1..100]) }}' } } },
        ],
        edges: [...chain('start', 'each'), ...chain('other', 'slow')],
      },
      { items: [0, 1, 2] },
    );
    await eventually(() => expect(callsOf(runId)).toHaveLength(2));
    // The sum begins with the first of these, and before it is there, which takes many turns, its item has failed.
    // Seen to fail without `awaits`: the sum is settled in an item that was given up, and the run ends with a fault.
    passing.give(done);
    failing.give({ kind: 'failed', error: { code: 'test.broken', message: 'broken' } });
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'succeeded',
      output: { each: { results: [null, { sum: 5050 }, { sum: 5050 }], failures: [{ index: 0 }] } },
    });
    expect(await runs.nodesOf(runId)).not.toHaveProperty('slow:0');
    for (const id of ['call', 'other']) worker.effects.script(id, () => Promise.resolve(done));
  });

  it('begins nothing more in an item that fails, not even a join that its failure makes ready', async () => {
    worker.effects.script('call', (_signal, { iteration }) =>
      Promise.resolve(
        iteration === '0' ? { kind: 'failed', error: { code: 'test.broken', message: 'broken' } } : done,
      ),
    );
    const { runId } = await runs.start(
      {
        nodes: [
          { id: 'start', type: 'trigger.manual' },
          {
            id: 'each',
            type: 'for_each',
            params: { items: '{{ trigger.items }}', onItemError: 'continue', collect: 'row' },
          },
          { id: 'row', type: 'set', parent: 'each', params: { values: { is: '{{ item }}' } } },
          { id: 'call', type: 'test.effect', parent: 'each' },
          { id: 'both', type: 'test.effect', parent: 'each' },
        ],
        edges: [...chain('start', 'each'), ...chain('row', 'both'), ...chain('call', 'both')],
      },
      { items: ['a', 'b', 'c'] },
    );
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'succeeded',
      output: { each: { results: [null, { is: 'b' }, { is: 'c' }], failures: [{ index: 0 }] } },
    });
    // Seen to fail when the walk says what is ready beside a failure: `both` is called for the first item, too.
    const both = callsOf(runId).filter(({ nodeId }) => nodeId === 'both');
    expect(both.map(({ iteration }) => iteration)).toEqual(['1', '2']);
    worker.effects.script('call', () => Promise.resolve(done));
  });

  it('can be inside another one, and sees the items of both', async () => {
    const { runId } = await runs.start(
      {
        nodes: [
          { id: 'start', type: 'trigger.manual' },
          { id: 'before', type: 'set', params: { values: { x: 10 } } },
          {
            id: 'rows',
            type: 'for_each',
            params: { items: '{{ trigger.rows }}', collect: 'cells', concurrency: 2 },
          },
          { id: 'row', type: 'set', parent: 'rows', params: { values: { first: '{{ item[0] }}' } } },
          { id: 'cells', type: 'for_each', parent: 'rows', params: { items: '{{ item }}', collect: 'cell' } },
          {
            id: 'cell',
            type: 'set',
            parent: 'cells',
            params: {
              values: {
                is: '{{ item }}',
                row: '{{ loops.rows.index }}',
                column: '{{ index }}',
                sum: '{{ nodes.before.x + nodes.row.first + item }}',
              },
            },
          },
        ],
        edges: [...chain('start', 'before', 'rows'), ...chain('row', 'cells')],
      },
      { rows: [[1, 2], [3]] },
    );
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'succeeded',
      output: {
        rows: {
          results: [
            {
              results: [
                { is: 1, row: 0, column: 0, sum: 12 },
                { is: 2, row: 0, column: 1, sum: 13 },
              ],
            },
            { results: [{ is: 3, row: 1, column: 0, sum: 16 }] },
          ],
        },
      },
    });
    expect(await runs.nodesOf(runId)).toMatchObject({
      'cells:1': 'succeeded',
      'cell:0.1': 'succeeded',
      'cell:1.0': 'succeeded',
    });
  });

  it('parks with its items and goes on where each of them was', async () => {
    const definition = {
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        {
          id: 'each',
          type: 'for_each',
          params: { items: '{{ trigger.items }}', concurrency: 2, collect: 'call' },
        },
        { id: 'wait', type: 'delay', parent: 'each', params: { seconds: '{{ item }}' } },
        { id: 'call', type: 'test.effect', parent: 'each' },
      ],
      edges: [...chain('start', 'each'), ...chain('wait', 'call')],
    };
    const { runId } = await runs.start(definition, { items: [0.3, 0.1, 0.2] });
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'succeeded',
      output: { each: { results: [{}, {}, {}] } },
    });
    expect(callsOf(runId)).toHaveLength(3);
    expect((await runs.eventsOf(runId)).filter(({ type }) => type === 'run.waiting').length).toBeGreaterThan(
      0,
    );
  });

  it('is taken up after its worker was lost: finished items stay, others go on, the items are those it began with', async () => {
    const effects = new ScriptedEffects();
    const stuck = new Signal<NodeOutcome>();
    const first = await startTestEngine(testDb().db, testDb().url, { effects, cellId: 'cell_1' });
    await worker.drain();
    effects.script('call', (_signal, { iteration }) =>
      iteration === '2' ? stuck.arrived : Promise.resolve(done),
    );
    const onFirst = new TestRuns(testDb, () => first);
    const { runId } = await onFirst.start(loopOf({ concurrency: 2, collect: 'call' }), {
      items: [0, 1, 2, 3, 4],
    });
    await eventually(() =>
      expect(effects.calls.map((call) => call.iteration).toSorted()).toEqual(['0', '1', '2', '3', '4']),
    );
    await eventually(async () =>
      expect(await onFirst.nodesOf(runId)).toMatchObject({ 'sum:4': 'succeeded' }),
    );
    await first.die();
    effects.script('call', () => Promise.resolve({ kind: 'done', output: 'again' }));
    worker = await startTestEngine(testDb().db, testDb().url, { effects });
    const { output } = await runs.ended(runId);
    expect(output).toEqual({ after: { count: 5 } });
    // Seen to fail (all five called again) when the walk does not look at what was recorded of the items.
    expect(effects.calls.map((call) => call.iteration).toSorted()).toEqual(['0', '1', '2', '2', '3', '4']);
    const again = effects.calls.filter(({ iteration }) => iteration === '2');
    expect(new Set(again.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    stuck.give(done);
  }, 40_000);
});
