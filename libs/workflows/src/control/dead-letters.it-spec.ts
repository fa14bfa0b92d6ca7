import { eventually, Signal, useTestDb } from '#platform/testing';
import { deadLetterErrors, runErrors } from '../errors';
import {
  chain,
  controlRooms,
  heldLeases,
  somebody,
  startTestEngine,
  type TestEngine,
  TestRuns,
} from '../testing';
import { retryBody } from './dead-letters.dto';

jest.setTimeout(30_000);

describe('dead letters', () => {
  const testDb = useTestDb({ leases: heldLeases, poolSize: 20 });
  let worker: TestEngine;
  let rooms: ReturnType<typeof controlRooms>;
  /** Another process of the product. */
  let elsewhere: ReturnType<typeof controlRooms>;
  const runs = new TestRuns(testDb, () => worker);

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url);
    rooms = controlRooms(testDb(), worker);
    elsewhere = controlRooms(testDb(), worker);
    testDb().beforeClose(() => worker.drain());
  });

  afterEach(() => {
    for (const { admission } of [rooms, elsewhere]) {
      admission.left = Number.POSITIVE_INFINITY;
      admission.meanwhile = () => Promise.resolve();
    }
  });

  const failing = {
    nodes: [
      { id: 'start', type: 'trigger.manual' },
      { id: 'broken', type: 'fail', params: { message: 'on purpose' } },
    ],
    edges: chain('start', 'broken'),
  };
  const query = (more: object = {}) => ({ limit: 100, ...more });
  const request = (more: object = {}) => retryBody.parse(more);

  async function failed(count = 1) {
    const { runId, ...workflow } = await runs.start(failing, { n: 0 });
    const runIds = [runId];
    while (runIds.length < count) runIds.push(await runs.startOf(workflow, { n: runIds.length }));
    await Promise.all(runIds.map((id) => runs.ended(id)));
    return { ...workflow, runId, runIds };
  }

  const lettersOf = (workspaceId: string) =>
    runs.sql<{ run_id: string; state: string; requeued_run_id: string | null }>(
      'select run_id, state, requeued_run_id from dead_letters where workspace_id = $1 order by failed_at, run_id',
      [workspaceId],
    );
  const runsOf = (workspaceId: string) =>
    runs.sql<{ id: string }>('select id from workflow_runs where workspace_id = $1', [workspaceId]);

  it('are kept for each run that failed, and shown to the whole workspace with input and reason', async () => {
    const { workspaceId, workflowId, runId } = await failed();
    const { data } = await rooms.letters.list(workspaceId, query(), null);
    expect(data).toMatchObject([
      { runId, workflowId, version: 1, state: 'open', error: { nodeId: 'broken' } },
    ]);
    expect(await rooms.letters.get(workspaceId, runId)).toMatchObject({ input: { n: 0 } });
    const { workspaceId: foreign } = await failed();
    await expect(rooms.letters.get(foreign, runId)).rejects.toMatchObject({
      type: deadLetterErrors.not_found,
    });
  });

  it('are listed by workflow, state, reason and time, page by page', async () => {
    const { workspaceId, workflowId, runIds } = await failed(5);
    const pages: string[][] = [];
    for (let before: { failedAt: string; id: string } | null = null; pages.length < 5;) {
      const page = await rooms.letters.list(workspaceId, { limit: 2 }, before);
      pages.push(page.data.map(({ runId }) => runId));
      const last = page.data.at(-1);
      if (!page.hasMore || !last) break;
      before = { failedAt: last.failedAt, id: last.runId };
    }
    expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(pages.flat().toSorted()).toEqual(runIds.toSorted());
    const found = async (more: object) =>
      (await rooms.letters.list(workspaceId, query(more), null)).data.length;
    const [{ failed_at: at } = { failed_at: new Date() }] = await runs.sql<{ failed_at: Date }>(
      'select max(failed_at) as failed_at from dead_letters where workspace_id = $1',
      [workspaceId],
    );
    const later = new Date(at.getTime() + 1).toISOString();
    expect([await found({ workflowId }), await found({ workflowId: workspaceId })]).toEqual([5, 0]);
    expect([await found({ state: 'open' }), await found({ state: 'requeued' })]).toEqual([5, 0]);
    expect([
      await found({ errorCode: 'node.failed_on_purpose' }),
      await found({ errorCode: 'other' }),
    ]).toEqual([5, 0]);
    expect([await found({ to: later }), await found({ from: later })]).toEqual([5, 0]);
  });

  // Fault 20 of a predecessor: they went with their run, and asked no quota.
  it('outlive their run: without its history they are listed and requeued', async () => {
    const { workspaceId, runId } = await failed();
    for (const table of ['workflow_run_events', 'workflow_node_runs']) {
      await runs.sql(`delete from ${table} where run_id = $1`, [runId]);
    }
    await runs.sql('delete from workflow_runs where id = $1', [runId]);
    expect((await rooms.letters.list(workspaceId, query(), null)).data).toHaveLength(1);
    const { id } = await rooms.letters.requeue({ workspaceId, runId, principal: somebody }, 'same');
    await runs.ended(id);
    const [run] = await runs.sql('select input, origin from workflow_runs where id = $1', [id]);
    expect(run).toEqual({ input: { n: 0 }, origin: { deadLetter: runId } });
    expect((await lettersOf(workspaceId))[0]).toEqual({
      run_id: runId,
      state: 'requeued',
      requeued_run_id: id,
    });
  });

  it('stay open when quota refuses the requeue, and can be requeued later', async () => {
    const { workspaceId, runId } = await failed();
    rooms.admission.left = 0;
    const address = { workspaceId, runId, principal: somebody };
    await expect(rooms.letters.requeue(address, 'same')).rejects.toMatchObject({ type: runErrors.refused });
    expect(await lettersOf(workspaceId)).toEqual([{ run_id: runId, state: 'open', requeued_run_id: null }]);
    rooms.admission.left = 1;
    await runs.ended((await rooms.letters.requeue(address, 'same')).id);
    expect(rooms.admission.left).toBe(0);
  });

  // Two processes, the second while the first holds the letter and has not committed. Without `for update` in
  // lock-dead-letters both started a run: two ids came back.
  it('give one run when two requeue the same at the same time', async () => {
    const { workspaceId, runId } = await failed();
    const address = { workspaceId, runId, principal: somebody };
    const inside = new Signal<void>();
    const goOn = new Signal<void>();
    rooms.admission.meanwhile = () => {
      inside.give();
      return goOn.arrived;
    };
    const first = rooms.letters.requeue(address, 'same');
    await inside.arrived;
    const second = elsewhere.letters.requeue(address, 'same');
    await Promise.race([blockedAtLetters(), second]);
    goOn.give();
    const [one, other] = await Promise.all([first, second]);
    expect(other).toEqual({ id: one.id, replayed: true });
    expect(await runsOf(workspaceId)).toHaveLength(2);
    await runs.ended(one.id);
  });

  it('give one run when one process is asked twice within a batch', async () => {
    const { workspaceId, runId } = await failed();
    const address = { workspaceId, runId, principal: somebody };
    const both = await Promise.all([1, 2, 3].map(() => rooms.letters.requeue(address, 'same')));
    expect(new Set(both.map(({ id }) => id)).size).toBe(1);
    expect(both.filter(({ replayed }) => !replayed)).toHaveLength(1);
    // Without repeatedRequeues the answers were one run's, and three had been started.
    expect(await runsOf(workspaceId)).toHaveLength(2);
    for (const { id } of both.slice(0, 1)) await runs.ended(id);
  });

  it('are discarded once, and not requeued after that, nor discarded once requeued', async () => {
    const { workspaceId, runIds } = await failed(2);
    const [one = '', other = ''] = runIds;
    const address = (runId: string) => ({ workspaceId, runId, principal: somebody });
    expect(await rooms.letters.discard(address(one))).toMatchObject({ state: 'discarded' });
    expect(await rooms.letters.discard(address(one))).toMatchObject({ state: 'discarded' });
    const requeued = rooms.letters.requeue(address(one), 'same');
    await expect(requeued).rejects.toMatchObject({ type: deadLetterErrors.already_settled });
    const { id } = await rooms.letters.requeue(address(other), 'same');
    const discarded = rooms.letters.discard(address(other));
    await expect(discarded).rejects.toMatchObject({ type: deadLetterErrors.already_settled });
    await runs.ended(id);
  });

  describe('retried in bulk', () => {
    it('are taken up by the filter in the order in which they failed, each once', async () => {
      const { workspaceId, workflowId, runIds } = await failed(5);
      await rooms.letters.discard({ workspaceId, runId: runIds[4] ?? '', principal: somebody });
      const none = await rooms.retries.retry(workspaceId, somebody, request({ errorCode: 'other' }));
      expect(none).toMatchObject({ retried: 0, more: false });
      const some = await rooms.retries.retry(workspaceId, somebody, request({ workflowId, limit: 2 }));
      expect(some).toMatchObject({ retried: 2, refused: null, more: true });
      const firstTwo = (await lettersOf(workspaceId)).filter(({ state }) => state === 'requeued');
      expect(firstTwo.map(({ run_id }) => run_id)).toEqual(
        (await lettersOf(workspaceId))
          .filter(({ state }) => state !== 'discarded')
          .slice(0, 2)
          .map(({ run_id }) => run_id),
      );
      // Those two fail once more; a call that goes on from this one does not take them up again.
      await Promise.all((await runsOf(workspaceId)).map(({ id }) => runs.ended(id)));
      const rest = await rooms.retries.retry(workspaceId, somebody, request({ cursor: some.cursor }));
      expect(rest).toMatchObject({ retried: 2, more: false, cursor: null });
      await Promise.all((await runsOf(workspaceId)).map(({ id }) => runs.ended(id)));
    });

    it('stop at the first refusal, say so, and go on from there', async () => {
      const { workspaceId, runIds } = await failed(6);
      rooms.admission.left = 4;
      const first = await rooms.retries.retry(workspaceId, somebody, request());
      expect(first).toMatchObject({
        retried: 4,
        refused: { code: 'run.refused', detail: 'Nothing is left.' },
        more: true,
      });
      const open = (await lettersOf(workspaceId)).filter(({ state }) => state === 'open');
      expect(open.map(({ run_id }) => run_id)).toHaveLength(2);
      expect(runIds).toEqual(expect.arrayContaining(open.map(({ run_id }) => run_id)));
      rooms.admission.left = Number.POSITIVE_INFINITY;
      // The new runs fail as well; the cursor goes on behind those that were taken up, and finds them too.
      const next = await rooms.retries.retry(
        workspaceId,
        somebody,
        request({ cursor: first.cursor, limit: 2 }),
      );
      expect(next.retried).toBe(2);
      await Promise.all((await runsOf(workspaceId)).map(({ id }) => runs.ended(id)));
    });

    // Both have listed the same letters before either has started a run.
    it('start no run twice when the same call comes twice at the same time', async () => {
      const { workspaceId, runIds } = await failed(8);
      const to = new Date(Date.parse('2100-01-01T00:00:00Z')).toISOString();
      const inside = new Signal<void>();
      const goOn = new Signal<void>();
      rooms.admission.meanwhile = () => {
        inside.give();
        return goOn.arrived;
      };
      const one = rooms.retries.retry(workspaceId, somebody, request({ to, limit: 8 }));
      await inside.arrived;
      const other = elsewhere.retries.retry(workspaceId, somebody, request({ to, limit: 8 }));
      await Promise.race([blockedAtLetters(), other]);
      goOn.give();
      const [first, second] = await Promise.all([one, other]);
      expect([first.retried, second.retried, second.alreadyRetried]).toEqual([8, 0, 8]);
      const origins = await runs.sql<{ of: string }>(
        `select origin ->> 'deadLetter' as of from workflow_runs where workspace_id = $1 and origin is not null`,
        [workspaceId],
      );
      expect(origins.map(({ of }) => of).toSorted()).toEqual(runIds.toSorted());
      await Promise.all((await runsOf(workspaceId)).map(({ id }) => runs.ended(id)));
    });

    it('pass over letters whose workflow is gone, and leave them open', async () => {
      const { workspaceId, workflowId } = await failed(2);
      await runs.sql('update workflows set archived_at = now() where id = $1', [workflowId]);
      const passed = await rooms.retries.retry(workspaceId, somebody, request());
      expect(passed).toMatchObject({ retried: 0, notRunnable: 2, refused: null, more: false });
      expect((await lettersOf(workspaceId)).map(({ state }) => state)).toEqual(['open', 'open']);
    });
  });

  /** Waits until somebody waits for a letter that another start holds. */
  async function blockedAtLetters(): Promise<void> {
    await eventually(async () => {
      const rows = await runs.sql(
        `select from pg_stat_activity
          where wait_event_type = 'Lock' and query like '%from dead_letters where run_id%for update%'`,
      );
      expect(rows).not.toEqual([]);
    });
  }
});
