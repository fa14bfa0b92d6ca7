import { useTestDb } from '#platform/testing';
import { runErrors, workflowErrors } from '../errors';
import {
  aPublishedWorkflow,
  chain,
  controlRooms,
  heldLeases,
  somebody,
  startTestEngine,
  type TestEngine,
  TestRuns,
} from '../testing';

jest.setTimeout(30_000);

describe('a rerun', () => {
  const testDb = useTestDb({ leases: heldLeases });
  let worker: TestEngine;
  let rooms: ReturnType<typeof controlRooms>;
  const runs = new TestRuns(testDb, () => worker);

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url);
    rooms = controlRooms(testDb(), worker);
    testDb().beforeClose(() => worker.drain());
  });

  const effects = (...ids: readonly string[]) => ({
    nodes: [{ id: 'start', type: 'trigger.manual' }, ...ids.map((id) => ({ id, type: 'test.effect' }))],
    edges: chain('start', ...ids),
  });
  const callsOf = (runId: string) =>
    worker.effects.calls.filter((call) => call.runId === runId).map(({ nodeId }) => nodeId);
  const fails = () =>
    Promise.resolve({
      kind: 'failed',
      error: { code: 'test.broken', message: 'Broken.' },
    } as const);
  const succeeds = () => Promise.resolve({ kind: 'done', output: { mended: true } } as const);
  const same = { version: 'same' } as const;

  // Fault 19 of a predecessor: it took the id of the failed node for a trigger, and everything ran again.
  it('from the node that failed takes over what came before, and sends no effect of it again', async () => {
    worker.effects.script('third', fails);
    const { workspaceId, runId } = await runs.start(effects('first', 'second', 'third'), { n: 7 });
    expect(await runs.ended(runId)).toMatchObject({ outcome: 'failed' });
    worker.effects.script('third', succeeds);
    const again = await rooms.reruns.rerun(
      { workspaceId, runId, principal: somebody },
      { from: 'third', ...same },
      null,
    );
    expect(await runs.ended(again.id)).toEqual({
      outcome: 'succeeded',
      output: { third: { mended: true } },
      error: null,
    });
    expect(callsOf(runId)).toEqual(['first', 'second', 'third']);
    expect(callsOf(again.id)).toEqual(['third']);
    expect(await runs.nodesOf(again.id)).toEqual({
      start: 'succeeded',
      first: 'succeeded',
      second: 'succeeded',
      third: 'succeeded',
    });
    // The effect happens anew: its receiver must not take it for the one before.
    const keys = worker.effects.calls
      .filter(({ nodeId }) => nodeId === 'third')
      .map((call) => call.idempotencyKey);
    expect(new Set(keys).size).toBe(2);
    const [row] = await runs.sql(
      `select origin, started_by, started_at >= date_trunc('milliseconds', created_at) as fresh from workflow_runs where id = $1`,
      [again.id],
    );
    expect(row).toEqual({
      origin: { rerunOf: runId, from: 'third' },
      started_by: `user:${somebody.kind === 'user' ? somebody.userId : ''}`,
      fresh: true,
    });
  });

  it('of a whole run does everything again, also while the other one lives', async () => {
    const { workspaceId, runId } = await runs.start(
      {
        nodes: [
          { id: 'start', type: 'trigger.manual' },
          { id: 'only', type: 'test.effect' },
          { id: 'wait', type: 'delay', params: { seconds: 3600 } },
        ],
        edges: chain('start', 'only', 'wait'),
      },
      { n: 7 },
    );
    await runs.inState(runId, 'parked');
    const again = await rooms.reruns.rerun({ workspaceId, runId, principal: somebody }, same, null);
    await runs.inState(again.id, 'parked');
    expect(callsOf(again.id)).toEqual(['only']);
    const from = rooms.reruns.rerun(
      { workspaceId, runId, principal: somebody },
      { from: 'only', ...same },
      null,
    );
    await expect(from).rejects.toMatchObject({ type: runErrors.not_finished });
    const [row] = await runs.sql('select input from workflow_runs where id = $1', [again.id]);
    expect(row).toEqual({ input: { n: 7 } });
  });

  it('keeps the version of the earlier run, or takes the published one when told to', async () => {
    const { workspaceId, workflowId, versionId, runId } = await runs.start(effects('old'));
    await runs.ended(runId);
    const newer = await aPublishedWorkflow(testDb(), effects('new'), { workspaceId });
    const [{ id: second } = { id: '' }] = await runs.sql<{ id: string }>(
      `insert into workflow_versions (id, workspace_id, workflow_id, number, definition, published_by)
       select gen_random_uuid(), workspace_id, $1, 2, definition, 'user:test' from workflow_versions where id = $2
       returning id`,
      [workflowId, newer.versionId],
    );
    await runs.sql('update workflows set published_version_id = $2 where id = $1', [workflowId, second]);
    const address = { workspaceId, runId, principal: somebody };
    const kept = await rooms.reruns.rerun(address, same, null);
    const renewed = await rooms.reruns.rerun(address, { version: 'published' }, null);
    await Promise.all([runs.ended(kept.id), runs.ended(renewed.id)]);
    const versions = await runs.sql('select version_id from workflow_runs where id = any ($1) order by id', [
      [kept.id, renewed.id],
    ]);
    expect(versions).toEqual([{ version_id: versionId }, { version_id: second }]);
    expect([callsOf(kept.id), callsOf(renewed.id)]).toEqual([['old'], ['new']]);
  });

  it('is counted like any start, and started once for one key', async () => {
    const { workspaceId, runId } = await runs.start(effects('only'));
    await runs.ended(runId);
    const address = { workspaceId, runId, principal: somebody };
    const key = { key: 'again', requestHash: Buffer.alloc(32) } as never;
    const first = await rooms.reruns.rerun(address, same, key);
    expect(await rooms.reruns.rerun(address, same, key)).toEqual({ id: first.id, replayed: true });
    const other = rooms.reruns.rerun(address, { from: 'only', ...same }, key);
    await expect(other).rejects.toMatchObject({ type: runErrors.key_reused });
    rooms.admission.left = 0;
    const refused = rooms.reruns.rerun(address, same, null);
    await expect(refused).rejects.toMatchObject({ type: runErrors.refused });
    rooms.admission.left = Number.POSITIVE_INFINITY;
    const began = await runs.sql(`select id from workflow_runs where origin ->> 'rerunOf' = $1`, [runId]);
    expect(began).toEqual([{ id: first.id }]);
    await runs.ended(first.id);
  });

  // Without the comparison of counts in RunStarter the rerun began with the first effect once more.
  it('does not begin when results it needs are gone since it was asked for', async () => {
    const { workspaceId, runId } = await runs.start(effects('first', 'second'));
    await runs.ended(runId);
    rooms.admission.meanwhile = async () => {
      await runs.sql(`delete from workflow_node_runs where run_id = $1 and node_id = 'first'`, [runId]);
    };
    const address = { workspaceId, runId, principal: somebody };
    const again = rooms.reruns.rerun(address, { from: 'second', ...same }, null);
    await expect(again).rejects.toMatchObject({ type: runErrors.results_gone });
    rooms.admission.meanwhile = () => Promise.resolve();
    expect(await runs.sql(`select id from workflow_runs where origin ->> 'rerunOf' = $1`, [runId])).toEqual(
      [],
    );
  });

  it('names what keeps it from beginning', async () => {
    const { workspaceId, workflowId, runId } = await runs.start(effects('only'));
    await runs.ended(runId);
    const address = { workspaceId, runId, principal: somebody };
    const nowhere = rooms.reruns.rerun(address, { from: 'nowhere', ...same }, null);
    await expect(nowhere).rejects.toMatchObject({
      type: runErrors.rerun_from_invalid,
      context: { problems: [{ pointer: '/from', code: 'unknown' }] },
    });
    const foreign = rooms.reruns.rerun(
      { ...address, workspaceId: (await runs.start(effects('x'))).workspaceId },
      same,
      null,
    );
    await expect(foreign).rejects.toMatchObject({ type: runErrors.not_found });
    await runs.sql('update workflows set archived_at = now() where id = $1', [workflowId]);
    const archived = rooms.reruns.rerun(address, same, null);
    await expect(archived).rejects.toMatchObject({ type: workflowErrors.not_found });
  });
});
