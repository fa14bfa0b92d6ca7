import { eventually, Signal, useTestDb } from '#platform/testing';
import type { NodeOutcome } from '../nodes/node-kind';
import { aPublishedWorkflow, heldLeases, startTestEngine, type TestEngine } from '../testing';
import type { Engine } from './engine';

type Definition = Parameters<typeof aPublishedWorkflow>[1];

describe.each(['cell_1', 'cell_2'])('a run in %s', (cellId) => {
  const testDb = useTestDb({ cells: ['cell_2'], leases: heldLeases });
  let worker: TestEngine;
  let door: Engine;

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url, { cellId });
    door = worker.door;
    testDb().beforeClose(() => worker.drain());
  });

  const sql = <R = Record<string, unknown>>(text: string, params: readonly unknown[]) =>
    testDb().sql<R>(text, params, cellId);

  async function start(definition: Definition, input: unknown = {}) {
    const workflow = await aPublishedWorkflow(testDb(), definition, { cellId });
    const started = await worker.start(workflow, input);
    if (started.kind !== 'started') throw new Error(started.kind);
    return { ...workflow, runId: started.runId };
  }

  function ended(runId: string) {
    return eventually(async () => {
      const [run] = await sql<{ outcome: string | null; output: unknown; error: { code: string } | null }>(
        'select outcome, output, error from workflow_runs where id = $1',
        [runId],
      );
      expect(run?.outcome).not.toBeNull();
      return run;
    });
  }

  async function nodesOf(runId: string) {
    const rows = await sql<{ node_id: string; status: string }>(
      'select node_id, status from workflow_node_runs where run_id = $1 order by node_id',
      [runId],
    );
    return Object.fromEntries(rows.map(({ node_id, status }) => [node_id, status]));
  }

  it('takes one way at a condition, skips the other, and joins behind them', async () => {
    const { runId } = await start(
      {
        nodes: [
          { id: 'start', type: 'trigger.manual' },
          { id: 'check', type: 'condition', params: { if: '{{ trigger.n > 1 }}' } },
          { id: 'large', type: 'set', params: { values: { size: 'large' } } },
          { id: 'small', type: 'set', params: { values: { size: 'small' } } },
          { id: 'join', type: 'set', params: { values: { done: true } } },
        ],
        edges: [
          { from: 'start', to: 'check' },
          { from: 'check', port: 'true', to: 'large' },
          { from: 'check', port: 'false', to: 'small' },
          { from: 'large', to: 'join' },
          { from: 'small', to: 'join' },
        ],
      },
      { n: 2 },
    );
    expect(await ended(runId)).toMatchObject({ outcome: 'succeeded', output: { join: { done: true } } });
    expect(await nodesOf(runId)).toEqual({
      start: 'succeeded',
      check: 'succeeded',
      large: 'succeeded',
      small: 'skipped',
      join: 'succeeded',
    });
  });

  it('fails with the reason of the node, and aborts what runs beside it', async () => {
    let aborted = false;
    worker.effects.script('slow', (signal) => {
      const done = new Signal<NodeOutcome>();
      signal.addEventListener('abort', () => {
        aborted = true;
        done.give({ kind: 'failed', error: { code: 'test.aborted', message: 'aborted' } });
      });
      return done.arrived;
    });
    const { runId } = await start({
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'slow', type: 'test.effect' },
        { id: 'wait', type: 'delay', params: { seconds: 0.05 } },
        { id: 'broken', type: 'fail', params: { message: 'on purpose' } },
      ],
      edges: [
        { from: 'start', to: 'slow' },
        { from: 'start', to: 'wait' },
        { from: 'wait', to: 'broken' },
      ],
    });
    expect(await ended(runId)).toMatchObject({ outcome: 'failed', error: { nodeId: 'broken' } });
    expect(aborted).toBe(true);
    expect(await nodesOf(runId)).toEqual({
      start: 'succeeded',
      slow: 'canceled',
      wait: 'succeeded',
      broken: 'failed',
    });
  });

  it('goes on by the error port when there is one', async () => {
    const { runId } = await start({
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'broken', type: 'fail', params: { message: 'on purpose' } },
        { id: 'mend', type: 'set', params: { values: { mended: true } } },
      ],
      edges: [
        { from: 'start', to: 'broken' },
        { from: 'broken', port: 'error', to: 'mend' },
      ],
    });
    expect(await ended(runId)).toMatchObject({ outcome: 'succeeded', output: { mend: { mended: true } } });
  });

  it('says which expression failed, and where', async () => {
    const { runId } = await start({
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'typo', type: 'set', params: { values: { name: '{{ trigger.nmae }}' } } },
      ],
      edges: [{ from: 'start', to: 'typo' }],
    });
    expect(await ended(runId)).toMatchObject({
      outcome: 'failed',
      error: { code: 'node.expression_undefined', nodeId: 'typo', details: { pointer: '/values/name' } },
    });
  });

  it.each([
    [
      'uses a node type that is gone',
      [
        { id: 'start', type: 'trigger.manual' },
        { id: 'gone', type: 'test.gone' },
      ],
    ],
    ['has no such trigger', [{ id: 'other', type: 'trigger.manual' }]],
  ])('fails with a reason when its version %s, and the next run goes on', async (_why, nodes) => {
    const { runId } = await start({ nodes, edges: [] });
    const next = await start({ nodes: [{ id: 'start', type: 'trigger.manual' }], edges: [] });
    expect(await ended(runId)).toMatchObject({ outcome: 'failed', error: { code: 'run.version_unusable' } });
    expect(await ended(next.runId)).toMatchObject({ outcome: 'succeeded' });
  });

  it.each([
    ['larger than a node may give', 'x'.repeat(1024 * 1024), 'node.output_too_large'],
    ['not JSON at all', 1n as never, 'node.output_not_json'],
  ])('fails with a reason when an output is %s', async (_what, output, code) => {
    worker.effects.script('giver', () => Promise.resolve({ kind: 'done', output }));
    const { runId } = await start({
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'giver', type: 'test.effect' },
      ],
      edges: [{ from: 'start', to: 'giver' }],
    });
    expect(await ended(runId)).toMatchObject({ outcome: 'failed', error: { code, nodeId: 'giver' } });
  });

  it('is canceled at once while it waits, and its wait is given up', async () => {
    const { runId, workspaceId } = await start({
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'year', type: 'delay', params: { seconds: 31_536_000 } },
      ],
      edges: [{ from: 'start', to: 'year' }],
    });
    await eventually(async () => {
      expect(await sql('select state from run_queue where run_id = $1', [runId])).toEqual([
        { state: 'parked' },
      ]);
    });
    expect(await door.cancel(workspaceId, runId)).toBe('canceled');
    expect(await ended(runId)).toMatchObject({ outcome: 'canceled' });
    expect(await nodesOf(runId)).toMatchObject({ year: 'canceled' });
    expect(await door.cancel(workspaceId, runId)).toBe('not_live');
    const events = await sql<{ first_seq: number; last_seq: number }>(
      'select first_seq, last_seq from workflow_run_events where run_id = $1 order by first_seq',
      [runId],
    );
    // Numbered without a gap across writers: each chunk begins behind the one before.
    expect(events.map(({ first_seq }) => first_seq)).toEqual([
      2,
      ...events.slice(0, -1).map((e) => e.last_seq + 1),
    ]);
  });

  it('is canceled inside a running node, which is aborted', async () => {
    const running = new Signal();
    worker.effects.script('endless', async (signal) => {
      running.give();
      await new Promise((done) => signal.addEventListener('abort', done));
      return { kind: 'failed', error: { code: 'test.aborted', message: 'aborted' } };
    });
    const { runId, workspaceId } = await start({
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'endless', type: 'test.effect' },
      ],
      edges: [{ from: 'start', to: 'endless' }],
    });
    await running.arrived;
    expect(await door.cancel(workspaceId, runId)).toBe('requested');
    expect(await ended(runId)).toMatchObject({ outcome: 'canceled' });
    expect(await nodesOf(runId)).toMatchObject({ endless: 'canceled' });
  });

  it('cannot be canceled by another workspace', async () => {
    const other = await aPublishedWorkflow(
      testDb(),
      { nodes: [{ id: 'start', type: 'trigger.manual' }], edges: [] },
      { cellId },
    );
    const { runId } = await start({
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'year', type: 'delay', params: { seconds: 31_536_000 } },
      ],
      edges: [{ from: 'start', to: 'year' }],
    });
    expect(await door.cancel(other.workspaceId, runId)).toBe('not_live');
    expect(await sql('select count(*)::int as n from run_queue where run_id = $1', [runId])).toEqual([
      { n: 1 },
    ]);
  });
});
