import { barrier, useTestDb } from '#platform/testing';
import type { JsonValue } from '../definition/json';
import {
  aPublishedWorkflow,
  chain,
  controlRooms,
  heldLeases,
  type PublishedWorkflow,
  startTestEngine,
  type TestEngine,
  TestRuns,
} from '../testing';
import { ErrorRuns } from './error-runs.loop';

jest.setTimeout(30_000);

describe('a run that fails', () => {
  const testDb = useTestDb({ leases: heldLeases, poolSize: 10 });
  let worker: TestEngine;
  let rooms: ReturnType<typeof controlRooms>;
  const runs = new TestRuns(testDb, () => worker);
  /** The duty as each process has it. */
  const aDuty = () => {
    const { clock, loops, logger } = worker.services;
    return new ErrorRuns(testDb().db, clock, rooms.runs, loops, logger);
  };

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url);
    rooms = controlRooms(testDb(), worker);
    testDb().beforeClose(() => worker.drain());
  });
  beforeEach(() => {
    rooms.admission.left = Number.POSITIVE_INFINITY;
  });

  const telling = {
    nodes: [
      { id: 'start', type: 'trigger.error' },
      { id: 'tell', type: 'set', params: { values: { code: '{{ trigger.error.code }}' } } },
    ],
    edges: chain('start', 'tell'),
  };
  const failing = (errorWorkflowId: string, trigger = 'trigger.manual') => ({
    settings: { errorWorkflowId },
    nodes: [
      { id: 'start', type: trigger },
      { id: 'broken', type: 'fail', params: { message: 'on purpose' } },
    ],
    edges: chain('start', 'broken'),
  });
  /** A run that has failed, and the workflow that is to hear of it. */
  async function failure(definition: JsonValue = telling) {
    const listener = await aPublishedWorkflow(testDb(), definition);
    const failed = await runs.start(failing(listener.workflowId), { n: 7 }, listener.workspaceId);
    await runs.ended(failed.runId);
    return { listener, failed };
  }
  const runsOf = ({ workflowId }: PublishedWorkflow) =>
    runs.sql<{ id: string; input: unknown; origin: unknown; started_by: string }>(
      'select id, input, origin, started_by from workflow_runs where workflow_id = $1',
      [workflowId],
    );
  const letterOf = async (runId: string) => {
    const rows = await runs.sql('select error_run_id, tell_at from dead_letters where run_id = $1', [runId]);
    return rows[0];
  };

  // Seen to fail (four runs) without the key of the start.
  it('starts its error workflow once, however many processes see to it', async () => {
    const { listener, failed } = await failure();
    const together = barrier(4);
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        await together();
        return aDuty().runOnce();
      }),
    );
    const told = await runsOf(listener);
    expect(told).toMatchObject([
      {
        started_by: `run:${failed.runId}`,
        origin: { errorOf: failed.runId },
        input: {
          run: {
            id: failed.runId,
            workflowId: failed.workflowId,
            trigger: 'trigger.manual',
            startedBy: 'user:test',
          },
          error: { code: 'node.failed_on_purpose', nodeId: 'broken' },
          input: { n: 7 },
        },
      },
    ]);
    const id = told[0]?.id ?? '';
    expect(await letterOf(failed.runId)).toEqual({ error_run_id: id, tell_at: null });
    expect(await runs.ended(id)).toMatchObject({ output: { tell: { code: 'node.failed_on_purpose' } } });
  });

  it('finds the run that a process has started which died before it could note it', async () => {
    const { listener, failed } = await failure();
    await aDuty().runOnce();
    await runs.sql('update dead_letters set error_run_id = null, tell_at = now() where run_id = $1', [
      failed.runId,
    ]);
    await aDuty().runOnce();
    const [{ id } = {}] = await runsOf(listener);
    expect(await runsOf(listener)).toHaveLength(1);
    expect(await letterOf(failed.runId)).toEqual({ error_run_id: id, tell_at: null });
  });

  // Seen to fail (a chain of runs without an end) when a run that tells of a failure is told of as well.
  it('is told of no further when it was itself to tell of a failure', async () => {
    const listener = await aPublishedWorkflow(testDb(), telling);
    const loud = await aPublishedWorkflow(testDb(), failing(listener.workflowId, 'trigger.error'), listener);
    const { runId } = await runs.start(failing(loud.workflowId), {}, listener.workspaceId);
    await runs.ended(runId);
    await aDuty().runOnce();
    const id = (await runsOf(loud))[0]?.id ?? '';
    expect(await runs.ended(id)).toMatchObject({ outcome: 'failed' });
    expect(await letterOf(id)).toEqual({ error_run_id: null, tell_at: null });
    await aDuty().runOnce();
    expect(await runsOf(listener)).toEqual([]);
  });

  it('is told of later when quota refuses it now', async () => {
    const { listener, failed } = await failure();
    rooms.admission.left = 0;
    await aDuty().runOnce();
    expect(await runsOf(listener)).toEqual([]);
    const [{ later } = {}] = await runs.sql<{ later: boolean }>(
      `select tell_at between now() + interval '30 s' and now() + interval '61 s' as later
         from dead_letters where run_id = $1`,
      [failed.runId],
    );
    expect(later).toBe(true);
    rooms.admission.left = 1;
    await runs.sql('update dead_letters set tell_at = now() where run_id = $1', [failed.runId]);
    await aDuty().runOnce();
    expect(await runsOf(listener)).toHaveLength(1);
  });

  it('is told of to nobody when the error workflow has no trigger for it', async () => {
    const { listener, failed } = await failure({
      nodes: [{ id: 'start', type: 'trigger.manual' }],
      edges: [],
    });
    await aDuty().runOnce();
    expect(await runsOf(listener)).toEqual([]);
    expect(await letterOf(failed.runId)).toEqual({ error_run_id: null, tell_at: null });
  });
});
