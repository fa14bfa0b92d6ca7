import { eventually, Signal, useTestDb } from '#platform/testing';
import type { JsonObject } from '../definition/json';
import type { NodeOutcome } from '../nodes/node-kind';
import { chain, heldLeases, startTestEngine, type TestEngine, TestRuns } from '../testing';

jest.setTimeout(30_000);

const broken: NodeOutcome = { kind: 'failed', error: { code: 'test.broken', message: 'broken' } };
const done: NodeOutcome = { kind: 'done', output: 'done' };

/** One effect with policies, and a node behind it. */
function callWith(policies: JsonObject) {
  return {
    nodes: [
      { id: 'start', type: 'trigger.manual' },
      { id: 'call', type: 'test.effect', ...policies },
      { id: 'after', type: 'set', params: { values: { saw: '{{ nodes.call }}' } } },
    ],
    edges: chain('start', 'call', 'after'),
  } as const;
}

describe('a node that fails', () => {
  const testDb = useTestDb({ leases: heldLeases });
  let worker: TestEngine;
  const runs = new TestRuns(testDb, () => worker);

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url);
    testDb().beforeClose(() => worker.drain());
  });

  const attemptsOf = (runId: string) =>
    worker.effects.calls.filter((call) => call.runId === runId).map(({ attempt }) => attempt);

  const callRow = async (runId: string) => {
    const [row] = await runs.sql<{
      status: string;
      attempts: number;
      state: unknown;
      resume_at: Date | null;
    }>(
      `select status, attempts, state, resume_at from workflow_node_runs where run_id = $1 and node_id = 'call'`,
      [runId],
    );
    return row;
  };

  it('is tried again as often as it may be, with the same Idempotency-Key, and succeeds in the end', async () => {
    worker.effects.script('call', (_signal, { attempt }) => Promise.resolve(attempt < 3 ? broken : done));
    const { runId } = await runs.start(callWith({ retry: { attempts: 3, delaySeconds: 0.01 } }));
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'succeeded',
      output: { after: { saw: 'done' } },
    });
    expect(attemptsOf(runId)).toEqual([1, 2, 3]);
    expect(await callRow(runId)).toMatchObject({ status: 'succeeded', attempts: 3, state: null });
    const keys = worker.effects.calls
      .filter((call) => call.runId === runId)
      .map((call) => call.idempotencyKey);
    expect(new Set(keys).size).toBe(1);
    const events = await runs.eventsOf(runId);
    expect(
      events.filter(({ type }) => type === 'node.retrying').map(({ attempt, error }) => [attempt, error]),
    ).toEqual([
      [undefined, { code: 'test.broken', message: 'broken' }],
      [2, { code: 'test.broken', message: 'broken' }],
    ]);
  });

  it('fails the run with its last error when no attempt is left', async () => {
    worker.effects.script('call', () => Promise.resolve(broken));
    const { runId } = await runs.start(callWith({ retry: { attempts: 2, delaySeconds: 0 } }));
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'failed',
      error: { code: 'test.broken', nodeId: 'call' },
    });
    expect(attemptsOf(runId)).toEqual([1, 2]);
  });

  it('is not tried again when it says that it would be of no use, unless the author wants it', async () => {
    worker.effects.script('call', () => Promise.resolve({ ...broken, retryable: false }));
    const retry = { attempts: 3, delaySeconds: 0 };
    const plain = await runs.start(callWith({ retry }));
    await runs.ended(plain.runId);
    expect(attemptsOf(plain.runId)).toEqual([1]);
    const wanted = await runs.start(
      callWith({ retry: { ...retry, retryIf: "{{ error.code = 'test.broken' }}" } }),
    );
    await runs.ended(wanted.runId);
    expect(attemptsOf(wanted.runId)).toEqual([1, 2, 3]);
    const unwanted = await runs.start(
      callWith({ retry: { ...retry, retryIf: "{{ $contains(error.code, 'x') }}" } }),
    );
    await runs.ended(unwanted.runId);
    expect(attemptsOf(unwanted.runId)).toEqual([1]);
  });

  it('waits as long as the other side asks for, without being held by anybody', async () => {
    worker.effects.script('call', () => Promise.resolve({ ...broken, retryAfterSeconds: 3_600 }));
    const { runId, workspaceId } = await runs.start(callWith({ retry: { attempts: 2, delaySeconds: 0 } }));
    await runs.inState(runId, 'parked');
    const row = await callRow(runId);
    expect(row).toMatchObject({
      status: 'waiting',
      attempts: 1,
      state: { kind: 'retry', error: { code: 'test.broken' } },
    });
    expect((row?.resume_at?.getTime() ?? 0) - Date.now()).toBeGreaterThan(3_590_000);
    await runs.sql(
      'update run_queue set cancel_requested_at = now(), state = $2, resume_at = null where run_id = $1',
      [runId, 'queued'],
    );
    expect(await runs.ended(runId)).toMatchObject({ outcome: 'canceled' });
    expect(await callRow(runId)).toMatchObject({ status: 'canceled', state: null });
    expect(workspaceId).toBeDefined();
  });

  it('lets the run go on with its error as output when it is to continue', async () => {
    worker.effects.script('call', () => Promise.resolve(broken));
    const { runId } = await runs.start(callWith({ onError: 'continue' }));
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'succeeded',
      output: { after: { saw: { error: { code: 'test.broken', message: 'broken' } } } },
    });
    expect(await runs.nodesOf(runId)).toMatchObject({ call: 'failed', after: 'succeeded' });
  });

  it('gives its error to what follows on the port error', async () => {
    worker.effects.script('call', () => Promise.resolve(broken));
    const { nodes } = callWith({});
    const edges = [
      { from: 'start', to: 'call' },
      { from: 'call', port: 'error', to: 'after' },
    ];
    const { runId } = await runs.start({ nodes, edges });
    expect(await runs.ended(runId)).toMatchObject({
      output: { after: { saw: { error: { code: 'test.broken' } } } },
    });
  });

  it('fails when an attempt takes too long, and is told to stop', async () => {
    let aborted = false;
    worker.effects.script('call', async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      aborted = true;
      return done;
    });
    const { runId } = await runs.start(callWith({ timeoutSeconds: 0.05 }));
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'failed',
      error: { code: 'node.timeout', nodeId: 'call' },
    });
    await eventually(() => expect(aborted).toBe(true));
    expect(await callRow(runId)).toMatchObject({ status: 'failed' });
  });

  it('that does not stop when it is told to keeps nobody waiting', async () => {
    const never = new Signal<NodeOutcome>();
    worker.effects.script('call', () => never.arrived);
    const { runId } = await runs.start(callWith({ timeoutSeconds: 0.05 }));
    expect(await runs.ended(runId)).toMatchObject({ outcome: 'failed', error: { code: 'node.timeout' } });
    never.give(done);
  });
});

describe('a run', () => {
  const testDb = useTestDb({ leases: heldLeases });
  let worker: TestEngine;
  const runs = new TestRuns(testDb, () => worker);

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url);
    testDb().beforeClose(() => worker.drain());
  });

  const waiting = {
    nodes: [
      { id: 'start', type: 'trigger.manual' },
      { id: 'year', type: 'delay', params: { duration: 'P365D' } },
    ],
    edges: chain('start', 'year'),
    settings: { deadlineSeconds: 1 },
  };

  it('fails at its deadline while it waits, and while a node is at work', async () => {
    worker.effects.script(
      'call',
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(done))),
    );
    const parked = await runs.start(waiting);
    const busy = await runs.start({ ...callWith({}), settings: { deadlineSeconds: 1 } });
    expect(await runs.ended(parked.runId)).toMatchObject({
      outcome: 'failed',
      error: { code: 'run.deadline_exceeded' },
    });
    expect(await runs.nodesOf(parked.runId)).toMatchObject({ year: 'canceled' });
    expect(await runs.ended(busy.runId)).toMatchObject({
      outcome: 'failed',
      error: { code: 'run.deadline_exceeded' },
    });
    expect(await runs.nodesOf(busy.runId)).toMatchObject({ call: 'canceled' });
  });

  it('that failed leaves a dead letter with what is needed to begin again', async () => {
    worker.effects.script('call', () => Promise.resolve(broken));
    const { runId, workspaceId, workflowId, versionId } = await runs.start(callWith({}), { order: 7 });
    await runs.ended(runId);
    expect(
      await runs.sql(
        `select workspace_id, workflow_id, version_id, trigger_node, input, error_code, error, state from dead_letters
          where run_id = $1`,
        [runId],
      ),
    ).toEqual([
      {
        workspace_id: workspaceId,
        workflow_id: workflowId,
        version_id: versionId,
        trigger_node: 'start',
        input: { order: 7 },
        error_code: 'test.broken',
        error: { code: 'test.broken', message: 'broken', nodeId: 'call' },
        state: 'open',
      },
    ]);
  });

  it('that becomes too large fails with a reason', async () => {
    const items = Array.from({ length: 10_001 }, (_, i) => i);
    const { runId } = await runs.start(
      {
        nodes: [
          { id: 'start', type: 'trigger.manual' },
          { id: 'each', type: 'for_each', params: { items: '{{ trigger.items }}' } },
          { id: 'one', type: 'set', parent: 'each', params: { values: {} } },
        ],
        edges: chain('start', 'each'),
      },
      { items },
    );
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'failed',
      error: { code: 'node.too_many_items', nodeId: 'each' },
    });
    const nested = await runs.start(
      {
        nodes: [
          { id: 'start', type: 'trigger.manual' },
          { id: 'rows', type: 'for_each', params: { items: '{{ trigger.items }}' } },
          { id: 'cells', type: 'for_each', parent: 'rows', params: { items: '{{ trigger.items }}' } },
          { id: 'one', type: 'set', parent: 'cells', params: { values: {} } },
        ],
        edges: chain('start', 'rows'),
      },
      { items: items.slice(0, 150) },
    );
    expect(await runs.ended(nested.runId)).toMatchObject({
      outcome: 'failed',
      error: { code: 'run.too_many_nodes' },
    });
    await runs.eventsOf(nested.runId);
  }, 30_000);
});
