import push from './fixtures/github-push.json';
import { signUp } from './support/account';
import { useInstallation } from './support/installation';
import { mainJob } from './support/main-job';
import { MillraceProcess } from './support/millrace-process';
import { Sink } from './support/sink';
import { eventsOf, publish, runInStatus } from './support/workflows';

jest.setTimeout(60_000);

describe('a second cell', () => {
  const installation = useInstallation();
  let sink: Sink;
  beforeAll(async () => {
    sink = await Sink.start();
  });
  afterAll(() => sink?.close());

  it('takes the workspaces of those who sign up once the first is closed, and does the main job for them', async () => {
    const { testDb, environment, start } = installation();
    // Made while the process runs, which must take it on by itself.
    const { server } = await start();
    const said = await MillraceProcess.run('cli/cell-create', ['cell_2'], environment);
    expect(said).toContain('The cell cell_2 is ready.');
    await testDb.sql(`update cells set accepts_tenants = false where id = 'cell_1'`);

    const ada = await signUp(server);
    expect(
      await testDb.sql('select cell_id from workspace_directory where workspace_id = $1', [ada.workspaceId]),
    ).toEqual([{ cell_id: 'cell_2' }]);

    sink.respond('/tickets', () => ({ ticket: 'T-2' }));
    const workflow = await publish(ada, mainJob(sink));
    const { status, body } = await server.send('POST', workflow.hookPath ?? '', {
      body: JSON.stringify(push.body),
      headers: push.headers,
    });
    expect(status).toBe(202);
    await runInStatus(ada, body.runId, 'waiting');
    const run = await runInStatus(ada, body.runId, 'succeeded');
    expect(run.output).toMatchObject({ summary: { ticket: 'T-2' } });
    expect((await eventsOf(ada, body.runId)).at(-1)).toMatchObject({ type: 'run.succeeded' });
    expect(sink.callsOf('/tickets')).toHaveLength(1);

    // Everything of the run is in the second cell, and nothing in the first.
    for (const table of [
      'workflows',
      'workflow_runs',
      'workflow_node_runs',
      'workflow_run_events',
      'tenants',
    ]) {
      const count = (cell: string) =>
        testDb.sql<{ rows: number }>(
          `select count(*)::int as rows from ${table} where workspace_id = $1`,
          [ada.workspaceId],
          cell,
        );
      expect([table, await count('cell_1')]).toEqual([table, [{ rows: 0 }]]);
      expect((await count('cell_2'))[0]?.rows).toBeGreaterThan(0);
    }
  });
});
