import { eventually } from '#platform/testing';
import { signUp } from './support/account';
import { expectStatus } from './support/api-client';
import { useInstallation } from './support/installation';
import { publish, runInStatus } from './support/workflows';

jest.setTimeout(120_000);

const WORKFLOWS = 100;
const SCHEDULES_EACH = 100;

/** Further workflows like one that is published, `$2` of them. */
const COPIES = `
  with copies as materialized (
    select gen_random_uuid() as id, gen_random_uuid() as version_id, n from generate_series(1, $2::integer) n
  ), workflow as (
    insert into workflows (id, workspace_id, name, draft, created_by)
    select c.id, w.workspace_id, 'Copy ' || c.n, w.draft, w.created_by from workflows w, copies c where w.id = $1
    returning id
  ), version as (
    insert into workflow_versions (id, workspace_id, workflow_id, number, definition, published_by)
    select c.version_id, v.workspace_id, c.id, 1, v.definition, v.published_by
      from workflow_versions v, copies c where v.workflow_id = $1
  ), schedule as (
    insert into workflow_schedules (id, workspace_id, workflow_id, node_id, version_id, params, due_at, fire_at)
    select gen_random_uuid(), s.workspace_id, c.id, s.node_id, c.version_id, s.params, s.due_at, s.fire_at
      from workflow_schedules s, copies c where s.workflow_id = $1
  )
  select count(*) from workflow`;

const PUBLISH_COPIES = `
  update workflows w set published_version_id = v.id
    from workflow_versions v where v.workflow_id = w.id and w.published_version_id is null`;

describe('schedules over processes', () => {
  const installation = useInstallation();

  // How each guard was seen to be needed stands in scheduler.it-spec.
  it('ten thousand that are due at once start ten thousand runs, with three schedulers, one of them killed', async () => {
    const { start, testDb } = installation();
    const { server } = await start({ ROLES: 'api' });
    const ada = await signUp(server);
    const nodes = Array.from({ length: SCHEDULES_EACH }, (_, n) => ({
      id: `when${n}`,
      type: 'trigger.schedule',
      params: { cron: '* * * * * *', maxRuns: 1 },
    }));
    const { workflowId } = await publish(ada, { nodes, edges: [] });
    await testDb.sql(COPIES, [workflowId, WORKFLOWS - 1]);
    await testDb.sql(PUBLISH_COPIES);
    await testDb.sql(
      `update workflow_schedules set due_at = at, fire_at = at
         from (select date_trunc('second', now()) + interval '10 seconds' as at) soon`,
    );
    const schedulers = await Promise.all([0, 1, 2].map(() => start({ ROLES: 'scheduler' })));
    const counted = async () => {
      const [row] = await testDb.sql<{ fires: number; runs: number; queued: number; used: number }>(
        `select (select count(*)::integer from schedule_fires where outcome = 'started') as fires,
                (select count(*)::integer from workflow_runs where trigger_kind = 'trigger.schedule') as runs,
                (select count(*)::integer from run_queue) as queued,
                (select sum(runs_used)::integer from workspace_run_usage) as used`,
      );
      return row;
    };
    await eventually(async () => expect((await counted())?.fires).toBeGreaterThan(0), { timeoutMs: 30_000 });
    await schedulers[0]?.process.kill('SIGKILL');
    const all = WORKFLOWS * SCHEDULES_EACH;
    await eventually(async () => expect(await counted()).toMatchObject({ fires: all }), {
      timeoutMs: 60_000,
    });
    expect(await counted()).toEqual({ fires: all, runs: all, queued: all, used: all });
    const [{ twice } = { twice: null }] = await testDb.sql<{ twice: number }>(
      `select count(*)::integer as twice from (
         select started_by from workflow_runs group by started_by having count(*) > 1) s`,
    );
    expect(twice).toBe(0);
  });

  it('are made, watched and steered over HTTP', async () => {
    const { start } = installation();
    const { server } = await start();
    const ada = await signUp(server);
    const { workflowId } = await publish(ada, {
      nodes: [
        { id: 'when', type: 'trigger.schedule', params: { cron: '* * * * * *', timezone: 'Asia/Kolkata' } },
        { id: 'note', type: 'set', params: { values: { at: '{{ trigger.localTime }}' } } },
      ],
      edges: [{ from: 'when', to: 'note' }],
    });
    const { data } = expectStatus(await ada.api.get(`${ada.home}/schedules?workflowId=${workflowId}`), 200);
    const path = `${ada.home}/schedules/${data[0].id}`;
    const fires = await eventually(
      async () => {
        const found = expectStatus(await ada.api.get(`${path}/fires`), 200).data;
        expect(found.length).toBeGreaterThan(1);
        return found;
      },
      { timeoutMs: 20_000 },
    );
    const run = await runInStatus(ada, fires[0].runId, 'succeeded');
    expect(run.output.note.at).toMatch(/T\d\d:\d\d:\d\d\+05:30$/);
    expect(expectStatus(await ada.api.post(`${path}/pause`, {}), 200)).toMatchObject({ state: 'paused' });
    const { runId } = expectStatus(await ada.api.post(`${path}/fire`, {}), 201);
    await runInStatus(ada, runId, 'succeeded');
    expect(expectStatus(await ada.api.post(`${path}/resume`, {}), 200)).toMatchObject({ state: 'active' });
    expectStatus(await ada.api.post(`${path}/pause`, {}), 200);
  });
});
