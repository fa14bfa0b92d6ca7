import { register } from 'prom-client';
import type { Tx } from '#platform';
import { barrier, useTestDb } from '#platform/testing';
import { type Admission, type AdmissionRequest, RunAdmission } from '../ports';
import { aPublishedWorkflow, PlannedLimits, startTestEngine, type TestEngine } from '../testing';
import type { StartResult } from './run-starter';

const definition = { nodes: [{ id: 'start', type: 'trigger.manual' }], edges: [] };

/** A quota that counts what it is asked for, and grants the first so many. */
class CountingQuota extends RunAdmission {
  asked = 0;
  left = Infinity;

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  admit(_tx: Tx, requests: readonly AdmissionRequest[]): Promise<ReadonlyMap<string, Admission>> {
    const answers = requests.map(({ workspaceId, runs }) => {
      this.asked += runs;
      const granted = Math.min(runs, this.left);
      this.left -= granted;
      return [workspaceId, { granted, refusal: { code: 'quota', detail: 'no more', meta: {} } }] as const;
    });
    return Promise.resolve(new Map(answers));
  }
}

describe('the guard against runaway starts', () => {
  const testDb = useTestDb({ poolSize: 3 });
  const limits = new PlannedLimits();
  const quota = new CountingQuota();
  let doors: readonly TestEngine[] = [];

  beforeAll(async () => {
    const open = async () =>
      startTestEngine(await testDb().connectAgain(), testDb().url, {
        admission: quota,
        limits,
        idle: 'idle',
      });
    doors = await Promise.all(Array.from({ length: 8 }, open));
    testDb().beforeClose(async () => {
      for (const door of doors) await door.die();
    });
  });

  beforeEach(() => {
    quota.asked = 0;
    quota.left = Infinity;
  });

  const byKind = (results: readonly StartResult[]) => {
    const counts: Record<string, number> = {};
    for (const { kind } of results) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  };
  const atOnce = async (starts: number, start: (door: TestEngine, index: number) => Promise<StartResult>) => {
    const ready = barrier(starts);
    return Promise.all(
      Array.from({ length: starts }, async (_, index) => {
        await ready();
        const door = doors[index % doors.length];
        if (!door) throw new Error('No door.');
        return start(door, index);
      }),
    );
  };

  // Seen to fail (120 of 20 started) with lock-start-windows made to read without locking what is there.
  it('lets exactly as many start as the plan allows in five minutes, through eight processes', async () => {
    const workflow = await aPublishedWorkflow(testDb(), definition);
    limits.plans.set(workflow.workspaceId, { startsPerFiveMinutes: 20 });
    const results = await atOnce(120, (door, index) =>
      door.start(workflow, {}, { key: `start ${index}`, requestHashHex: '00'.repeat(32) }),
    );
    expect(byKind(results)).toEqual({ started: 20, runaway: 100 });
    // What is refused takes nothing: no quota, no key, no run.
    expect(quota.asked).toBe(20);
    for (const table of ['run_start_keys', 'workflow_runs', 'run_queue']) {
      const rows = await testDb().sql(`select from ${table} where workspace_id = $1`, [workflow.workspaceId]);
      expect([table, rows.length]).toEqual([table, 20]);
    }
    const refused = results.find(({ kind }) => kind === 'runaway');
    expect(refused).toMatchObject({ runaway: { scope: 'workspace', limit: 20, windowSeconds: 300 } });
  });

  it('lets exactly as many start as the author allows in a minute, and others of the workspace freely', async () => {
    const workflow = await aPublishedWorkflow(testDb(), definition);
    const other = await aPublishedWorkflow(testDb(), definition, workflow);
    const results = await atOnce(60, (door) => door.startWith(workflow, { maxStartsPerMinute: 7 }));
    expect(byKind(results)).toEqual({ started: 7, runaway: 53 });
    expect(byKind(await atOnce(20, (door) => door.start(other)))).toEqual({ started: 20 });
  });

  it('does not count what quota refused', async () => {
    const workflow = await aPublishedWorkflow(testDb(), definition);
    limits.plans.set(workflow.workspaceId, { startsPerFiveMinutes: 10 });
    quota.left = 0;
    const refused = await atOnce(8, (door) => door.start(workflow));
    expect(byKind(refused)).toEqual({ refused: 8 });
    quota.left = Infinity;
    // Seen to fail (2 started) with starts counted when they are judged.
    expect(byKind(await atOnce(12, (door) => door.start(workflow)))).toEqual({ started: 10, runaway: 2 });
  });

  it('allows starts again when those before are older than the window', async () => {
    const workflow = await aPublishedWorkflow(testDb(), definition);
    const start = async () => (await doors[0]?.startWith(workflow, { maxStartsPerMinute: 1 }))?.kind;
    expect([await start(), await start()]).toEqual(['started', 'runaway']);
    await testDb().sql('update run_start_windows set slot = slot - 61 where scope_id = $1', [
      workflow.workflowId,
    ]);
    expect(await start()).toBe('started');
  });

  it('answers the run of a repeated key, and does not take it for another start', async () => {
    const workflow = await aPublishedWorkflow(testDb(), definition);
    limits.plans.set(workflow.workspaceId, { startsPerFiveMinutes: 1 });
    const key = { key: 'same', requestHashHex: '00'.repeat(32) };
    const results = await atOnce(10, (door) => door.start(workflow, {}, key));
    expect(byKind(results)).toEqual({ started: 1, replayed: 9 });
  });

  it('leaves a trace in log and metrics', async () => {
    const workflow = await aPublishedWorkflow(testDb(), definition);
    const [door] = doors;
    const refusals = async () => {
      const { values } = (await register.getSingleMetric('millrace_run_starts_runaway_total')?.get()) ?? {
        values: [],
      };
      return values.find(({ labels }) => labels['scope'] === 'workflow')?.value ?? 0;
    };
    const before = await refusals();
    for (let nth = 0; nth < 3; nth += 1) await door?.startWith(workflow, { maxStartsPerMinute: 1 });
    expect((await refusals()) - before).toBe(2);
    expect(door?.services.logger.messages('warn')).toContain('starts were refused: too many in a short time');
  });

  it('costs a workspace without limits nothing', async () => {
    const workflow = await aPublishedWorkflow(testDb(), definition);
    await doors[0]?.start(workflow);
    const rows = await testDb().sql('select from run_start_windows where workspace_id = $1', [
      workflow.workspaceId,
    ]);
    expect(rows).toEqual([]);
  });
});
