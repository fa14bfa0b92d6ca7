import { randomUUID } from 'node:crypto';
import { barrier, CollectingLogger, eventually, useTestDb } from '#platform/testing';
import { type Db, SystemClock } from '#platform';
import type { WorkspaceRunLimits } from '../ports';
import { aPublishedWorkflow, PlannedLimits, type PublishedWorkflow } from '../testing';
import { Gatekeeper } from './gatekeeper';
import { whyGated } from './why-gated';
import { WorkspaceLimits } from './workspace-limits';

const CELL = 'cell_1';
const definition = { nodes: [{ id: 'start', type: 'trigger.manual' }], edges: [] };

/** A run as a test puts it into the queue. */
interface Placed {
  readonly state?: string;
  readonly turn?: number;
  readonly priority?: number;
  readonly limited?: boolean;
  readonly keyHash?: string | null;
  readonly keyLimit?: number | null;
  readonly keyHeld?: boolean;
}

describe('the gate', () => {
  const testDb = useTestDb({ poolSize: 12 });
  const limits = new PlannedLimits();
  const pools: Db[] = [];
  let keepers: readonly Gatekeeper[] = [];

  /** As many processes as there are pools; each has its gatekeeper, none of them a loop. */
  beforeAll(async () => {
    for (let index = 0; index < 4; index += 1) pools.push(await testDb().connectAgain());
    keepers = Array.from({ length: 32 }, (_, index) => {
      const db = pools[index % pools.length] ?? testDb().db;
      const planned = new WorkspaceLimits({ db, clock: new SystemClock(), limits }, CELL);
      return new Gatekeeper(
        { db, logger: new CollectingLogger(), limits: planned, admitted: () => undefined },
        CELL,
      );
    });
    testDb().beforeClose(async () => {
      for (const keeper of keepers) await keeper.idle();
    });
  });

  async function planned(plan: Partial<WorkspaceRunLimits>, workspaceId: string = randomUUID()) {
    const workflow = await aPublishedWorkflow(testDb(), definition, { workspaceId });
    limits.plans.set(workflow.workspaceId, plan);
    const db = testDb().db;
    await new WorkspaceLimits({ db, clock: new SystemClock(), limits }, CELL).of([workflow.workspaceId]);
    return workflow;
  }

  let lastTurn = 0;
  async function place({ workspaceId, workflowId }: PublishedWorkflow, placed: Placed = {}) {
    lastTurn += 1;
    const runId = randomUUID();
    const { state = 'gated', turn = lastTurn, priority = 0, limited = true } = placed;
    const { keyHash = null, keyLimit = null, keyHeld = false } = placed;
    await testDb().sql(
      `insert into run_queue (run_id, workspace_id, workflow_id, state, turn, priority, limited, key_hash, key_limit, key_held,
                              worker_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, case $4 when 'owned' then gen_random_uuid() end)`,
      [runId, workspaceId, workflowId, state, turn, priority, limited, keyHash, keyLimit, keyHeld],
    );
    return runId;
  }

  async function placeMany(workflow: PublishedWorkflow, runs: number, placed: Placed = {}) {
    return Promise.all(Array.from({ length: runs }, () => place(workflow, placed)));
  }

  const stateOf = async (runId: string) => {
    const [row] = await testDb().sql<{ state: string }>('select state from run_queue where run_id = $1', [
      runId,
    ]);
    return row?.state;
  };
  const count = async ({ workspaceId }: PublishedWorkflow, where: string) => {
    const [row] = await testDb().sql<{ n: number }>(
      `select count(*)::int as n from run_queue where workspace_id = $1 and ${where}`,
      [workspaceId],
    );
    return row?.n;
  };
  const passes = async (given: readonly Gatekeeper[], workspaceId: string, keyHash: string | null = null) => {
    const ready = barrier(given.length);
    await Promise.all(
      given.map(async (keeper) => {
        await ready();
        keeper.freed(workspaceId, keyHash);
        await keeper.idle();
      }),
    );
  };
  const one = () => keepers.slice(0, 1);

  /** Each brings a run that goes before all others and looks at once: two looks never choose the same run by chance. */
  async function bringAndLook(workflow: PublishedWorkflow, placed: Placed): Promise<void> {
    const ready = barrier(keepers.length);
    await Promise.all(
      keepers.map(async (keeper) => {
        await ready();
        await place(workflow, { ...placed, turn: -lastTurn });
        keeper.arrived(workflow.workspaceId, placed.keyHash ?? null);
        await keeper.idle();
      }),
    );
  }

  // Seen to fail (2 for a limit of 1, up to 13 for a limit of 5) with lock-gates made to read without `for update`.
  it.each([1, 5])(
    'lets exactly %d through, however many look at once',
    async (limit) => {
      const workflow = await planned({ concurrentRunsPerWorkflow: limit });
      const seen: (number | undefined)[] = [];
      for (let round = 0; round < 25; round += 1) {
        await testDb().sql('delete from run_queue where workspace_id = $1', [workflow.workspaceId]);
        await bringAndLook(workflow, {});
        seen.push(await count(workflow, `state = 'queued'`));
      }
      expect(seen).toEqual(Array.from({ length: 25 }, () => limit));
    },
    60_000,
  );

  // Seen to fail (4 for the 2 that are left of 3) like the one above.
  it('gives the slots of a key away exactly, and a run that waits keeps its own', async () => {
    const workflow = await planned({});
    const keyHash = randomUUID();
    await testDb().sql(
      `insert into run_queue (run_id, workspace_id, workflow_id, state, turn, resume_at, key_hash, key_limit, key_held)
       values ($1, $2, $3, 'parked', 0, now() + interval '1 year', $4, 3, true)`,
      [randomUUID(), workflow.workspaceId, workflow.workflowId, keyHash],
    );
    const seen: (number | undefined)[] = [];
    for (let round = 0; round < 25; round += 1) {
      await testDb().sql(`delete from run_queue where workspace_id = $1 and state <> 'parked'`, [
        workflow.workspaceId,
      ]);
      await bringAndLook(workflow, { limited: false, keyHash, keyLimit: 3 });
      seen.push(await count(workflow, `state = 'queued' and key_held`));
    }
    expect(seen).toEqual(Array.from({ length: 25 }, () => 2));
  }, 60_000);

  /** Resolves once a statement of another connection waits for a lock. */
  const someoneWaits = () =>
    eventually(async () => {
      const waiting = await testDb().sql(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(waiting).toHaveLength(1);
    });

  // Seen to fail (nobody waits, and the next stays at the gate) with passes that skip locked gates.
  it('waits for a pass under way, which may have counted before the place was free', async () => {
    const workflow = await planned({ concurrentRunsPerWorkflow: 1 });
    const leaving = await place(workflow, { state: 'queued' });
    const next = await place(workflow);
    const [keeper] = keepers;
    await testDb().dataSource.transaction(async (manager) => {
      await manager.query('select from cell_1.workspace_gates where workspace_id = $1 for update', [
        workflow.workspaceId,
      ]);
      await testDb().sql('delete from run_queue where run_id = $1', [leaving]);
      keeper?.freed(workflow.workspaceId, null);
      await someoneWaits();
    });
    await keeper?.idle();
    expect(await stateOf(next)).toBe('queued');
  });

  // Seen to fail in the first rounds when whoever frees a place does not ask for a pass.
  it('loses no wake-up when a run leaves while another arrives, in 200 rounds', async () => {
    const workflow = await planned({ concurrentRunsPerWorkflow: 1 });
    const { workspaceId } = workflow;
    const [leaver, starter] = keepers;
    for (let round = 0; round < 200; round += 1) {
      await testDb().sql('delete from run_queue where workspace_id = $1', [workspaceId]);
      const leaving = await place(workflow, { state: 'queued' });
      await place(workflow);
      const ready = barrier(2);
      await Promise.all([
        (async () => {
          await ready();
          await testDb().sql('delete from run_queue where run_id = $1', [leaving]);
          leaver?.freed(workspaceId, null);
          await leaver?.idle();
        })(),
        (async () => {
          await ready();
          await place(workflow);
          starter?.arrived(workspaceId, null);
          await starter?.idle();
        })(),
      ]);
      expect([round, await count(workflow, `state = 'queued'`)]).toEqual([round, 1]);
    }
  }, 60_000);

  it('looks again when a run that it chose was canceled meanwhile', async () => {
    const workflow = await planned({ concurrentRunsPerWorkflow: 1 });
    const first = await place(workflow);
    const second = await place(workflow);
    const [keeper] = keepers;
    // Seen to fail (the second stays at the gate) with no further pass after one that moved fewer than it chose.
    await testDb().dataSource.transaction(async (manager) => {
      await manager.query('delete from cell_1.run_queue where run_id = $1', [first]);
      keeper?.freed(workflow.workspaceId, null);
      await someoneWaits();
    });
    await keeper?.idle();
    expect(await stateOf(second)).toBe('queued');
  });

  it('goes by the workspace’s limit too, and shares it between workflows', async () => {
    const busy = await planned({ concurrentRuns: 4 });
    const quiet = await planned({ concurrentRuns: 4 }, busy.workspaceId);
    await placeMany(busy, 20);
    const [single] = await placeMany(quiet, 1);
    await passes(one(), busy.workspaceId);
    expect(await count(busy, `state = 'queued'`)).toBe(4);
    // Seen to fail with the runs taken by turn alone.
    expect(await stateOf(single ?? '')).toBe('queued');
    await testDb().sql(
      `delete from run_queue where workspace_id = $1 and state = 'queued' and workflow_id = $2`,
      [busy.workspaceId, busy.workflowId],
    );
    await placeMany(quiet, 5);
    await passes(one(), busy.workspaceId);
    const shares = await testDb().sql<{ n: number }>(
      `select count(*)::int as n from run_queue where workspace_id = $1 and state = 'queued' group by workflow_id`,
      [busy.workspaceId],
    );
    expect(shares.map(({ n }) => n)).toEqual([2, 2]);
  });

  it('lets high ones through before normal ones, whatever their turns, and low ones last', async () => {
    const workflow = await planned({ concurrentRunsPerWorkflow: 1 });
    const low = await place(workflow, { priority: -1 });
    const early = await place(workflow);
    const late = await place(workflow);
    const high = await place(workflow, { priority: 1 });
    const order: (string | undefined)[] = [];
    for (let round = 0; round < 4; round += 1) {
      await passes(one(), workflow.workspaceId);
      const [through] = await testDb().sql<{ run_id: string }>(
        `delete from run_queue where workspace_id = $1 and state = 'queued' returning run_id`,
        [workflow.workspaceId],
      );
      order.push(through?.run_id);
    }
    expect(order).toEqual([high, early, late, low]);
  });

  it('gives slots in order, also where versions differ in the limit', async () => {
    const workflow = await planned({});
    const keyHash = randomUUID();
    const group = { limited: false, keyHash };
    await place(workflow, { ...group, state: 'queued', keyLimit: 2, keyHeld: true });
    const strict = await place(workflow, { ...group, keyLimit: 1 });
    const lenient = await place(workflow, { ...group, keyLimit: 2 });
    await passes(one(), workflow.workspaceId, keyHash);
    // The first in line may only be alone, so it waits, and nobody overtakes it.
    expect([await stateOf(strict), await stateOf(lenient)]).toEqual(['gated', 'gated']);
    await testDb().sql(`delete from run_queue where workspace_id = $1 and key_held`, [workflow.workspaceId]);
    await passes(one(), workflow.workspaceId, keyHash);
    expect([await stateOf(strict), await stateOf(lenient)]).toEqual(['queued', 'gated']);
  });

  it('asks the plan as well of a run that has the slot of its key', async () => {
    const workflow = await planned({ concurrentRunsPerWorkflow: 1 });
    const [keyHash, other] = [randomUUID(), randomUUID()];
    const first = await place(workflow, { keyHash, keyLimit: 1 });
    const second = await place(workflow, { keyHash: other, keyLimit: 1 });
    await passes(one(), workflow.workspaceId, keyHash);
    await passes(one(), workflow.workspaceId, other);
    expect([await stateOf(first), await stateOf(second)]).toEqual(['queued', 'gated']);
    const [held] = await testDb().sql('select key_held from run_queue where run_id = $1', [second]);
    expect(held).toEqual({ key_held: true });
  });

  it('finds by its sweep what nobody told of, in every workspace and every key', async () => {
    const workflows = await Promise.all(
      Array.from({ length: 230 }, () => planned({ concurrentRunsPerWorkflow: 1 })),
    );
    // Two of each: one that must be let through, and one that stays, so that no workspace and no key is done with.
    for (const workflow of workflows) await placeMany(workflow, 2);
    const keyed = await planned({});
    const keys = Array.from({ length: 1_100 }, () => randomUUID());
    await testDb().sql(
      `insert into run_queue (run_id, workspace_id, workflow_id, state, turn, key_hash, key_limit)
       select gen_random_uuid(), $1, $2, 'gated', n, k, 1 from unnest($3::uuid[]) k, generate_series(1, 2) n`,
      [keyed.workspaceId, keyed.workflowId, keys],
    );
    const [keeper] = keepers;
    // More than one sweep looks at. Seen to fail with the sweep beginning at the first workspace, or key, each time.
    for (let round = 0; round < 3; round += 1) await keeper?.sweep();
    const states = await testDb().sql(
      `select state, count(*)::int as n from run_queue where workspace_id = any ($1) group by state order by state`,
      [[keyed, ...workflows].map(({ workspaceId }) => workspaceId)],
    );
    expect(states).toEqual([
      { state: 'gated', n: 1_330 },
      { state: 'queued', n: 1_330 },
    ]);
  }, 60_000);

  it('follows a plan that changes, also one that has no limits any more', async () => {
    // A sweep looks after a part of those that wait: there shall be no others.
    await testDb().sql('delete from run_queue');
    const workflow = await planned({ concurrentRuns: 1 });
    await placeMany(workflow, 6);
    await passes(one(), workflow.workspaceId);
    expect(await count(workflow, `state = 'queued'`)).toBe(1);
    const sweep = () => {
      const db = testDb().db;
      const fresh = new WorkspaceLimits({ db, clock: new SystemClock(), limits }, CELL);
      const services = { db, logger: new CollectingLogger(), limits: fresh, admitted: () => undefined };
      return new Gatekeeper(services, CELL).sweep();
    };
    limits.plans.set(workflow.workspaceId, { concurrentRuns: 3 });
    await sweep();
    expect(await count(workflow, `state = 'queued'`)).toBe(3);
    limits.plans.set(workflow.workspaceId, { concurrentRuns: 2 });
    await sweep();
    // What executes is not taken back; it must become fewer first.
    expect(await count(workflow, `state = 'queued'`)).toBe(3);
    limits.plans.set(workflow.workspaceId, {});
    await sweep();
    expect(await count(workflow, `state = 'queued'`)).toBe(6);
  });

  it('raises turns that the queue has passed to where it stands', async () => {
    const workflow = await planned({ concurrentRuns: 1 });
    await testDb().sql('delete from run_queue');
    await place(await planned({}), { state: 'queued', limited: false, turn: 50_000 });
    const run = await place(workflow, { turn: 3 });
    await passes(one(), workflow.workspaceId);
    const [row] = await testDb().sql('select turn from run_queue where run_id = $1', [run]);
    // Seen to fail with 3: a workspace that starts next would be served before everyone who has waited.
    expect(row).toEqual({ turn: '50001' });
  });

  it('tells of a run what keeps it, to its workspace alone', async () => {
    const workflow = await planned({ concurrentRuns: 9, concurrentRunsPerWorkflow: 1 });
    const other = await planned({ concurrentRuns: 9, concurrentRunsPerWorkflow: 1 }, workflow.workspaceId);
    const keyHash = randomUUID();
    const holder = await place(workflow, { state: 'owned', keyHash, keyLimit: 1, keyHeld: true });
    const first = await place(workflow);
    const keyed = await place(workflow, { keyHash, keyLimit: 1 });
    const last = await place(workflow);
    await place(other);
    const low = await place(other, { priority: -1 });
    const why = (runId: string, workspaceId = workflow.workspaceId) =>
      testDb().db.tenant(workspaceId, (tx) => whyGated(tx, runId));
    expect(await why(holder)).toBeNull();
    expect(await why(first)).toEqual({
      key: null,
      workflow: { limit: 1, executing: 1, ahead: 0 },
      workspace: { limit: 9, executing: 1, ahead: 0 },
      paused: false,
    });
    expect((await why(keyed))?.key).toEqual({ limit: 1, holders: [holder], ahead: 0 });
    expect((await why(last))?.workflow).toEqual({ limit: 1, executing: 1, ahead: 1 });
    await testDb().sql(`update workflows set paused_at = now(), paused_by = 'user:test' where id = $1`, [
      other.workflowId,
    ]);
    expect(await why(low)).toMatchObject({
      workflow: { executing: 0, ahead: 1 },
      workspace: { ahead: 3 },
      paused: true,
    });
    const stranger = await planned({});
    expect(await why(first, stranger.workspaceId)).toBeNull();
  });
});
