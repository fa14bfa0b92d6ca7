import { randomUUID } from 'node:crypto';
import { barrier, eventually, Signal, useTestDb } from '#platform/testing';
import type { Db } from '#platform';
import type { NodeOutcome } from '../nodes/node-kind';
import {
  aPublishedWorkflow,
  heldLeases,
  PlannedLimits,
  type PublishedWorkflow,
  ScriptedEffects,
  startTestEngine,
  type TestEngine,
} from '../testing';

const working = {
  nodes: [
    { id: 'start', type: 'trigger.manual' },
    { id: 'work', type: 'test.effect' },
  ],
  edges: [{ from: 'start', to: 'work' }],
};
/** It waits between its first and its last node, and leaves the worker meanwhile. */
const waiting = {
  nodes: [
    { id: 'start', type: 'trigger.manual' },
    { id: 'first', type: 'test.effect' },
    { id: 'wait', type: 'delay', params: { seconds: 0.01 } },
    { id: 'last', type: 'test.effect' },
  ],
  edges: [
    { from: 'start', to: 'first' },
    { from: 'first', to: 'wait' },
    { from: 'wait', to: 'last' },
  ],
};
const done = { kind: 'done', output: {} } as const;

describe('limits of runs', () => {
  const testDb = useTestDb({ poolSize: 10, leases: heldLeases });
  const limits = new PlannedLimits();
  const engines: TestEngine[] = [];
  const pools: Db[] = [];

  beforeAll(async () => {
    for (let index = 0; index < 4; index += 1) pools.push(await testDb().connectAgain());
  });

  /** Workers as processes would be, sharing nothing but the database, and what their effects tell the test. */
  async function workers(count: number, effects = new ScriptedEffects()): Promise<readonly TestEngine[]> {
    const fresh: TestEngine[] = [];
    for (const db of pools.slice(0, count)) {
      fresh.push(await startTestEngine(db, testDb().url, { effects, limits }));
    }
    engines.push(...fresh);
    return fresh;
  }

  /** One that starts runs and executes none. */
  async function idle(): Promise<TestEngine> {
    const engine = await startTestEngine(testDb().db, testDb().url, { limits, idle: 'idle' });
    engines.push(engine);
    return engine;
  }

  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.drain()));
    await testDb().sql('delete from run_queue');
  });

  async function started(result: ReturnType<TestEngine['start']> | undefined): Promise<string> {
    const given = await result;
    if (given?.kind !== 'started') throw new Error(given?.kind);
    return given.runId;
  }

  const unfinished = async ({ workflowId }: PublishedWorkflow) => {
    const rows = await testDb().sql<{ n: number }>(
      'select count(*)::int as n from workflow_runs where workflow_id = $1 and outcome is null',
      [workflowId],
    );
    return rows[0]?.n;
  };
  const allEnd = (workflow: PublishedWorkflow) =>
    eventually(async () => expect(await unfinished(workflow)).toBe(0), { timeoutMs: 30_000 });
  const states = async ({ workflowId }: PublishedWorkflow) => {
    const rows = await testDb().sql<{ state: string; n: number }>(
      'select state, count(*)::int as n from run_queue where workflow_id = $1 group by state',
      [workflowId],
    );
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  };

  const due = async (runId: string) => {
    await testDb().sql(
      'update workflow_node_runs set resume_at = now() where run_id = $1 and resume_at is not null',
      [runId],
    );
    await testDb().sql(`update run_queue set resume_at = now() where run_id = $1`, [runId]);
  };

  // Seen to fail (all of them at once) with runs that start queued instead of gated.
  it.each([
    ['workflow', 1],
    ['workflow', 5],
    ['workspace', 5],
  ] as const)(
    'never executes more of a %s than %d, by 32 callers and four workers',
    async (scope, limit) => {
      const effects = new ScriptedEffects();
      const [now, most] = [new Set<string>(), { effects: 0, rows: 0 }];
      const workflow = await aPublishedWorkflow(testDb(), working);
      const other = scope === 'workspace' ? await aPublishedWorkflow(testDb(), working, workflow) : workflow;
      limits.plans.set(workflow.workspaceId, {
        [scope === 'workspace' ? 'concurrentRuns' : 'concurrentRunsPerWorkflow']: limit,
      });
      effects.script('work', async () => {
        const runId = effects.calls.at(-1)?.runId ?? '';
        now.add(runId);
        most.effects = Math.max(most.effects, now.size);
        const [row] = await testDb().sql<{ n: number }>(
          `select count(*)::int as n from run_queue where workspace_id = $1 and state in ('queued', 'owned')`,
          [workflow.workspaceId],
        );
        most.rows = Math.max(most.rows, row?.n ?? 0);
        now.delete(runId);
        return done;
      });
      const doors = await workers(4, effects);
      const ready = barrier(32);
      await Promise.all(
        Array.from({ length: 32 }, async (_, index) => {
          await ready();
          for (let nth = 0; nth < 3; nth += 1) {
            // Of all priorities, so that two who look at the gate at a time do not choose the same runs.
            const priority = (['low', 'normal', 'high'] as const)[nth];
            const door = doors[index % 4] ?? doors[0];
            await started(door?.startWith(nth % 2 === 0 ? workflow : other, priority ? { priority } : {}));
          }
        }),
      );
      await Promise.all([allEnd(workflow), allEnd(other)]);
      expect(effects.calls).toHaveLength(96);
      expect(most.effects).toBeLessThanOrEqual(limit);
      expect(most.rows).toBe(limit);
    },
    60_000,
  );

  // Seen to fail with the slot given up when the run is parked (`key_held` set false there).
  it('keeps runs of one key apart from their first node to their end, also while they wait', async () => {
    const effects = new ScriptedEffects();
    const workflow = await aPublishedWorkflow(testDb(), waiting);
    const keys: readonly string[] = Array.from({ length: 3 }, () => randomUUID());
    const keyOf = new Map<string, string>();
    const underWay = new Map(keys.map((key) => [key, new Set<string>()]));
    let most = 0;
    const now = (): Promise<string> => {
      const runId = effects.calls.at(-1)?.runId ?? '';
      // The start's answer may come after the run has begun.
      return eventually(() => {
        const key = keyOf.get(runId);
        if (key === undefined) throw new Error('not told yet');
        const runs = underWay.get(key);
        runs?.add(runId);
        most = Math.max(most, runs?.size ?? 0);
        return runId;
      });
    };
    effects.script('first', async () => {
      await now();
      return done;
    });
    effects.script('last', async () => {
      const runId = await now();
      underWay.get(keyOf.get(runId) ?? '')?.delete(runId);
      return done;
    });
    const doors = await workers(4, effects);
    const ready = barrier(24);
    await Promise.all(
      Array.from({ length: 24 }, async (_, index) => {
        const keyHash = keys[index % keys.length] ?? '';
        await ready();
        const door = doors[index % 4] ?? doors[0];
        const runId = await started(door?.startWith(workflow, { concurrency: { keyHash, limit: 1 } }));
        keyOf.set(runId, keyHash);
      }),
    );
    await allEnd(workflow);
    expect(effects.calls).toHaveLength(48);
    expect(most).toBe(1);
  }, 60_000);

  it('gives up a place while a run waits, and asks for one again when its time has come', async () => {
    const workflow = await aPublishedWorkflow(testDb(), {
      ...waiting,
      nodes: waiting.nodes.map((node) =>
        node.id === 'wait' ? { ...node, params: { seconds: 3600 } } : node,
      ),
    });
    limits.plans.set(workflow.workspaceId, { concurrentRuns: 1 });
    const [worker] = await workers(1);
    const first = await started(worker?.start(workflow));
    const second = await started(worker?.start(workflow));
    // Both wait: the first has made room for the second.
    await eventually(async () => expect(await states(workflow)).toEqual({ parked: 2 }));
    const stuck = new Signal<NodeOutcome>();
    worker?.effects.script('last', () => stuck.arrived);
    await due(first);
    await eventually(async () => expect(await states(workflow)).toEqual({ owned: 1, parked: 1 }));
    await due(second);
    // Seen to fail (two owned) with claim-due taking what is due straight away.
    await eventually(async () => expect(await states(workflow)).toEqual({ owned: 1, gated: 1 }));
    stuck.give(done);
    await allEnd(workflow);
  }, 30_000);

  it('keeps the place of a run whose worker was killed, and goes on with the next when it has ended', async () => {
    const effects = new ScriptedEffects();
    const workflow = await aPublishedWorkflow(testDb(), working);
    limits.plans.set(workflow.workspaceId, { concurrentRuns: 1 });
    effects.script('work', () => new Promise(() => undefined));
    const victim = await startTestEngine(testDb().db, testDb().url, { effects, limits });
    const [first, second] = [await started(victim.start(workflow)), await started(victim.start(workflow))];
    await eventually(() => expect(effects.calls).toHaveLength(1));
    await victim.die();
    const door = await idle();
    door.gatekeeper.freed(workflow.workspaceId, null);
    await door.gatekeeper.idle();
    expect(await states(workflow)).toEqual({ owned: 1, gated: 1 });
    effects.script('work', () => Promise.resolve(done));
    await workers(2, effects);
    await allEnd(workflow);
    expect(effects.calls.map(({ runId }) => runId)).toEqual([first, first, second]);
  }, 30_000);

  it('uses a place again that was freed by a process which died before it could tell', async () => {
    const effects = new ScriptedEffects();
    const workflow = await aPublishedWorkflow(testDb(), working);
    limits.plans.set(workflow.workspaceId, { concurrentRuns: 1 });
    const door = await idle();
    const first = await started(door.start(workflow));
    await started(door.start(workflow));
    await door.gatekeeper.idle();
    expect(await states(workflow)).toEqual({ queued: 1, gated: 1 });
    await testDb().sql('delete from run_queue where run_id = $1', [first]);
    // Seen to fail (the second stays at the gate for ever) without the sweep.
    await workers(1, effects);
    await eventually(() => expect(effects.calls).toHaveLength(1));
    await eventually(async () => expect(await states(workflow)).toEqual({}));
  }, 30_000);

  it.each(['one by one', 'all of a workflow'])(
    'lets the next through when runs are canceled %s',
    async (how) => {
      const workflow = await aPublishedWorkflow(testDb(), working);
      limits.plans.set(workflow.workspaceId, { concurrentRuns: 1 });
      const idleWorker = await idle();
      const { door } = idleWorker;
      const keyHash = randomUUID();
      const other = await aPublishedWorkflow(testDb(), working, workflow);
      const runs: string[] = [];
      for (const each of [workflow, workflow, other]) {
        runs.push(await started(idleWorker.startWith(each, { concurrency: { keyHash, limit: 1 } })));
      }
      await idleWorker.gatekeeper.idle();
      const [through = '', next = '', last] = runs;
      expect(await states(workflow)).toEqual({ queued: 1, gated: 1 });
      if (how === 'one by one') {
        expect(await door.cancel(workflow.workspaceId, next)).toBe('canceled');
        expect(await door.cancel(workflow.workspaceId, through)).toBe('canceled');
      } else {
        const some = await door.cancelSome(workflow.workspaceId, workflow.workflowId, ['queued', 'gated']);
        expect(some).toEqual({ canceled: 2, requested: 0, more: false });
      }
      // Seen to fail (it stays at the gate) without the pass after a cancellation.
      await eventually(async () => {
        const rows = await testDb().sql(
          'select run_id, state, key_held from run_queue where workspace_id = $1',
          [workflow.workspaceId],
        );
        expect(rows).toEqual([{ run_id: last, state: 'queued', key_held: true }]);
      });
      const outcomes = await testDb().sql('select outcome from workflow_runs where id = any ($1)', [
        [next, through],
      ]);
      expect(outcomes).toEqual([{ outcome: 'canceled' }, { outcome: 'canceled' }]);
    },
    30_000,
  );

  it('does not make one workspace wait for the 100,000 at the gate of another', async () => {
    const crowd = await aPublishedWorkflow(testDb(), working);
    const single = await aPublishedWorkflow(testDb(), working);
    for (const { workspaceId } of [crowd, single]) limits.plans.set(workspaceId, { concurrentRuns: 2 });
    const door = await idle();
    const held = [await started(door.start(crowd)), await started(door.start(crowd))];
    await door.gatekeeper.idle();
    await testDb().sql(
      `insert into run_queue (run_id, workspace_id, workflow_id, state, turn, limited, key_hash, key_limit)
       select gen_random_uuid(), $1, $2, 'gated', n, n % 2 = 0, case n % 2 when 1 then $3::uuid end,
              case n % 2 when 1 then 1 end
         from generate_series(1, 100000) n`,
      [crowd.workspaceId, crowd.workflowId, randomUUID()],
    );
    const mine = await started(door.start(single));
    await door.gatekeeper.idle();
    const [row] = await testDb().sql('select state from run_queue where run_id = $1', [mine]);
    expect(row).toEqual({ state: 'queued' });
    // One that leaves makes room for one, and no more.
    await testDb().sql('delete from run_queue where run_id = $1', [held[0]]);
    door.gatekeeper.freed(crowd.workspaceId, null);
    await door.gatekeeper.idle();
    expect(await states(crowd)).toEqual({ queued: 2, gated: 99_999 });
  }, 60_000);

  it('lets runs of a workspace without limits go straight into the queue', async () => {
    const workflow = await aPublishedWorkflow(testDb(), working);
    const door = await idle();
    await started(door.start(workflow));
    expect(await states(workflow)).toEqual({ queued: 1 });
    const gates = await testDb().sql('select from workspace_gates where workspace_id = $1', [
      workflow.workspaceId,
    ]);
    expect(gates).toEqual([]);
  });
});
