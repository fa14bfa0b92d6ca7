import { eventually, Signal, useTestDb } from '#platform/testing';
import type { JsonValue } from '../definition/json';
import { parseDraft } from '../definition/validate';
import { workflowErrors } from '../errors';
import { RunMigration } from '../engine/run-migration';
import {
  chain,
  controlRooms,
  heldLeases,
  type PublishedWorkflow,
  startTestEngine,
  type TestEngine,
  TestRuns,
} from '../testing';
import { catalogEntities } from './catalog-entities';
import { WaitingRuns } from './waiting-runs.service';
import { WorkflowVersionsRepository } from './workflow-versions.repository';
import { WorkflowsRepository } from './workflows.repository';

// Workers and many runs take their time on a busy machine.
jest.setTimeout(30_000);

describe('runs that wait, when another version is published', () => {
  const testDb = useTestDb({ entities: [...catalogEntities], leases: heldLeases, poolSize: 20 });
  let worker: TestEngine;
  let rooms: ReturnType<typeof controlRooms>;
  let waiting: WaitingRuns;
  const runs = new TestRuns(testDb, () => worker);

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url);
    rooms = controlRooms(testDb(), worker);
    const { clock } = worker.services;
    waiting = new WaitingRuns(
      testDb().db,
      clock,
      new WorkflowsRepository(),
      new WorkflowVersionsRepository(),
    );
    testDb().beforeClose(() => worker.drain());
  });

  const definition = (text: string, more: object = {}) => ({
    nodes: [
      { id: 'start', type: 'trigger.manual' },
      { id: 'first', type: 'test.effect', ...more },
      { id: 'ask', type: 'wait.callback' },
      { id: 'after', type: 'set', params: { values: { text } } },
    ],
    edges: chain('start', 'first', 'ask', 'after'),
  });

  async function publish(
    { workspaceId, workflowId }: PublishedWorkflow,
    body: JsonValue,
    number = 2,
  ): Promise<string> {
    const parsed = parseDraft(body);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const [{ id } = { id: '' }] = await runs.sql<{ id: string }>(
      `insert into workflow_versions (id, workspace_id, workflow_id, number, definition, published_by)
       values (gen_random_uuid(), $1, $2, $3, $4, 'user:test') returning id`,
      [workspaceId, workflowId, number, JSON.stringify(parsed.definition)],
    );
    await runs.sql('update workflows set published_version_id = $2 where id = $1', [workflowId, id]);
    return id;
  }

  const migrate = ({ workspaceId, workflowId }: PublishedWorkflow, number = 2) =>
    waiting.migrateTo(workspaceId, workflowId, { number, afterId: null });
  const answer = ({ workspaceId }: PublishedWorkflow, runId: string) =>
    rooms.engine.signal(workspaceId, { runId, nodeId: 'ask', iteration: '', message: { body: null } });
  const callsOf = (runId: string) =>
    worker.effects.calls.filter((call) => call.runId === runId).map(({ nodeId }) => nodeId);
  const versionOf = async (runId: string) =>
    (await runs.sql<{ version_id: string }>('select version_id from workflow_runs where id = $1', [runId]))[0]
      ?.version_id;

  it('go on with it where that is safe, and execute nothing again', async () => {
    const { runId, ...workflow } = await runs.start(definition('old'));
    await runs.inState(runId, 'parked');
    const second = await publish(workflow, definition('new'));
    expect(await migrate(workflow)).toEqual({ migrated: 1, stayed: [], more: false, cursor: null });
    expect(await versionOf(runId)).toBe(second);
    expect(await migrate(workflow)).toEqual({ migrated: 0, stayed: [], more: false, cursor: null });
    await answer(workflow, runId);
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'succeeded',
      output: { after: { text: 'new' } },
    });
    expect(callsOf(runId)).toEqual(['first']);
    const told = (await runs.eventsOf(runId)).filter(({ type }) => type === 'run.migrated');
    expect(told).toMatchObject([{ version: 2 }]);
  });

  it('stay where it is not, with the reason, and end with their own', async () => {
    const { runId, versionId, ...workflow } = await runs.start(definition('old'));
    await runs.inState(runId, 'parked');
    await publish({ versionId, ...workflow }, definition('new', { params: { other: true } }));
    expect(await migrate({ versionId, ...workflow })).toEqual({
      migrated: 0,
      stayed: [{ reason: 'node_changed', count: 1 }],
      more: false,
      cursor: null,
    });
    expect(await versionOf(runId)).toBe(versionId);
    await answer({ versionId, ...workflow }, runId);
    expect(await runs.ended(runId)).toMatchObject({ output: { after: { text: 'old' } } });
  });

  // The claim began before the migration and takes its row after it: its snapshot still has the old version. Without
  // the version being read again in load-last-seq the run ended with "old", pinned to the new one.
  it('take their version anew when they are woken while they are pinned', async () => {
    const { runId, ...workflow } = await runs.start({
      ...definition('old'),
      nodes: definition('old').nodes.map((node) =>
        node.id === 'ask' ? { id: 'ask', type: 'delay', params: { seconds: 3600 } } : node,
      ),
    });
    await runs.inState(runId, 'parked');
    await publish(workflow, {
      ...definition('new'),
      nodes: definition('new').nodes.map((node) =>
        node.id === 'ask' ? { id: 'ask', type: 'delay', params: { seconds: 3600 } } : node,
      ),
    });
    const held = new Signal<void>();
    const goOn = new Signal<void>();
    const holding = testDb().db.cell('cell_1', async (tx) => {
      await tx.query({ name: 'test-hold-workers', text: 'select 1 from engine_workers for update' });
      held.give();
      await goOn.arrived;
    });
    await held.arrived;
    const past = `now() - interval '1 second'`;
    await runs.sql(
      `update workflow_node_runs set resume_at = ${past} where run_id = $1 and status = 'waiting'`,
      [runId],
    );
    await runs.sql(`update run_queue set resume_at = ${past} where run_id = $1`, [runId]);
    await eventually(async () => {
      const claims = await runs.sql(
        `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%where resume_at <=%'`,
      );
      expect(claims).not.toEqual([]);
    });
    expect(await migrate(workflow)).toMatchObject({ migrated: 1 });
    goOn.give();
    await holding;
    expect(await runs.ended(runId)).toMatchObject({ output: { after: { text: 'new' } } });
    expect(callsOf(runId)).toEqual(['first']);
  });

  // Without the state in the `where` of lock-runs-pinned-elsewhere a run in a worker's hands was pinned.
  it('are left alone once a worker has them, or somebody is at them', async () => {
    const begun = new Signal<void>();
    const done = new Signal<void>();
    worker.effects.script('first', async () => {
      begun.give();
      await done.arrived;
      return { kind: 'done', output: null };
    });
    const { runId, ...workflow } = await runs.start(definition('old'));
    await begun.arrived;
    await publish(workflow, definition('new'));
    expect(await migrate(workflow)).toMatchObject({ migrated: 0, stayed: [] });
    done.give();
    await runs.inState(runId, 'parked');
    await testDb().db.cell('cell_1', async (tx) => {
      await tx.query(
        { name: 'test-hold-parked', text: 'select 1 from run_queue where run_id = $1::uuid for update' },
        runId,
      );
      expect(await migrate(workflow)).toMatchObject({ migrated: 0, stayed: [] });
    });
    expect(await migrate(workflow)).toMatchObject({ migrated: 1 });
    await rooms.engine.cancel(workflow.workspaceId, runId);
  });

  it('go over in batches; broken off between two, the rest goes over later', async () => {
    worker.effects.script('first', () => Promise.resolve({ kind: 'done', output: null }));
    const { runId, ...workflow } = await runs.start(definition('old'));
    await Promise.all(Array.from({ length: 249 }, () => runs.startOf(workflow)));
    await eventually(
      async () => {
        const parked = await runs.sql(`select from run_queue where workflow_id = $1 and state = 'parked'`, [
          workflow.workflowId,
        ]);
        expect(parked).toHaveLength(250);
      },
      { timeoutMs: 20_000 },
    );
    const versionId = await publish(workflow, definition('new'));
    const parsed = parseDraft(definition('new'));
    if (!parsed.ok) throw new Error('The definition is wrong.');
    const target = { ...workflow, versionId, number: 2, definition: parsed.definition };
    const { clock } = worker.services;
    const one = await new RunMigration({ db: testDb().db, clock }, 'cell_1', target).batch(null);
    expect(one).toMatchObject({ migrated: 200, stayed: [] });
    expect(await migrate(workflow)).toEqual({ migrated: 50, stayed: [], more: false, cursor: null });
    const pinned = await runs.sql('select distinct version_id from workflow_runs where workflow_id = $1', [
      workflow.workflowId,
    ]);
    expect(pinned).toEqual([{ version_id: versionId }]);
    expect((await runs.eventsOf(runId)).filter(({ type }) => type === 'run.migrated')).toHaveLength(1);
    await rooms.cancelAll.cancel(workflow.workspaceId, workflow.workflowId, {});
  });

  it('go on with the published version and no other', async () => {
    const { runId, ...workflow } = await runs.start(definition('old'));
    await runs.inState(runId, 'parked');
    await publish(workflow, definition('new'));
    await publish(workflow, definition('newest'), 3);
    await expect(migrate(workflow, 2)).rejects.toMatchObject({ type: workflowErrors.version_not_published });
    await expect(migrate(workflow, 4)).rejects.toMatchObject({ type: workflowErrors.version_not_found });
    expect(await migrate(workflow, 3)).toMatchObject({ migrated: 1 });
    await rooms.engine.cancel(workflow.workspaceId, runId);
  });
});
