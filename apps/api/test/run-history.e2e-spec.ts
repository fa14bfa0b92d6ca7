import { eventually } from '#platform/testing';
import { type Account, signUp } from './support/account';
import { expectStatus } from './support/api-client';
import { EventReader } from './support/event-stream';
import { useInstallation } from './support/installation';
import type { Json } from './support/json';
import { chain, eventsOf, publish, type Published, runInStatus } from './support/workflows';

jest.setTimeout(60_000);

/** A UUIDv7 of a time, of no run. */
function idAt(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000001`;
}

describe('The history of a workspace', () => {
  const installation = useInstallation();
  let ada: Account;
  let bob: Account;
  let workflow: Published;
  let failing: Published;
  const ids: Record<string, string> = {};

  const start = async ({ path }: Published, body: object) =>
    expectStatus(await ada.api.post(`${path}/runs`, body), 201).id;
  const list = async (query: string): Promise<readonly Json[]> =>
    expectStatus(await ada.api.get(`${ada.home}/runs?${query}`), 200).data.map(({ id }: Json) => id);

  beforeAll(async () => {
    const { server } = await installation().start();
    [ada, bob] = [await signUp(server), await signUp(server)];
    workflow = await publish(ada, {
      nodes: [
        { id: 'begin', type: 'trigger.manual' },
        { id: 'note', type: 'set', params: { values: { name: '{{ trigger.name }}' } } },
      ],
      edges: chain('begin', 'note'),
      settings: { labels: { customer: '{{ trigger.name }}', tier: 'gold', broken: '{{ $number("x") }}' } },
    });
    failing = await publish(ada, {
      nodes: [
        { id: 'begin', type: 'trigger.manual' },
        { id: 'end', type: 'fail', params: { message: 'No.' } },
      ],
      edges: chain('begin', 'end'),
    });
    ids['plain'] = await start(workflow, { input: { name: 'Ann: 1' } });
    ids['given'] = await start(workflow, {
      input: { name: 'Ben' },
      labels: { tier: 'silver', region: 'north' },
    });
    ids['failed'] = await start(failing, { labels: { region: 'north' } });
    await runInStatus(ada, ids['plain'] ?? '', 'succeeded');
    await runInStatus(ada, ids['given'] ?? '', 'succeeded');
    await runInStatus(ada, ids['failed'] ?? '', 'failed');
  });

  it('finds runs by labels, of the settings and of the start, and by what became of them', async () => {
    const { plain, given, failed } = ids;
    expect(expectStatus(await ada.api.get(`${ada.home}/runs/${given}`), 200).labels).toEqual({
      customer: 'Ben', tier: 'silver', region: 'north',
    }); // prettier-ignore
    expect(await list(`label=${encodeURIComponent('customer:Ann: 1')}`)).toEqual([plain]);
    expect(await list('label=tier:gold')).toEqual([plain]);
    expect(await list('label=region:north')).toEqual([failed, given]);
    expect(await list('label=region:north&status=failed,canceled')).toEqual([failed]);
    expect(await list('status=failed')).toEqual([failed]);
    expect(await list(`workflowId=${failing.workflowId}&error=node.failed&trigger=trigger.manual`)).toEqual(
      expectStatus(await ada.api.get(`${ada.home}/runs/${failed}`), 200).error.code === 'node.failed'
        ? [failed]
        : [],
    );
    expect(await list('status=queued,running,waiting')).toEqual([]);
    expect(await list('from=2100-01-01T00:00:00Z')).toEqual([]);
    expect(await list('to=0001-01-01T00:00:00Z')).toEqual([]);
    expect(await list('from=2000-01-01T00:00:00%2B02:00&trigger=trigger.webhook')).toEqual([]);
  });

  it.each([
    'status=gone',
    'status=',
    'label=Tier:x',
    'label=tier',
    'from=yesterday',
    'trigger=%27',
    'error=%00',
  ])('refuses to look for %s', async (query) => {
    expectStatus(await ada.api.get(`${ada.home}/runs?${query}`), 400);
  });

  it.each([{ Tier: 'x' }, { tier: '' }, { tier: 'x'.repeat(201) }, { tier: 7 }])(
    'refuses the labels %j',
    async (labels) => {
      expectStatus(await ada.api.post(`${workflow.path}/runs`, { labels }), 400);
    },
  );

  it('gives a run as one document', async () => {
    const answer = await fetch(new URL(`${ada.home}/runs/${ids['given']}/download`, ada.api.url), {
      headers: ada.api.credentials(),
    });
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="run-${ids['given']}.json"`);
    const { run, definition, nodeRuns, events } = (await answer.json()) as Json;
    expect(run).toEqual(expectStatus(await ada.api.get(`${ada.home}/runs/${ids['given']}`), 200));
    expect(definition.nodes.map(({ id }: Json) => id)).toEqual(['begin', 'note']);
    expect(nodeRuns.map(({ nodeId }: Json) => nodeId)).toEqual(['begin', 'note']);
    expect(events).toEqual(await eventsOf(ada, ids['given'] ?? ''));
    expectStatus(await bob.api.get(`${bob.home}/runs/${ids['given']}/download`), 404);
  });

  it('says that old runs are gone, whether they were ever there or not, and of younger ones that there are none', async () => {
    const year = 366 * 86_400_000;
    // As a run of long ago, whose table stands a while longer than it is kept.
    const [old] = await installation().testDb.sql<{ id: string }>(
      `insert into workflow_runs (id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input,
                                  outcome, created_at, finished_at, retention_days)
       select $2::uuid, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input, 'succeeded',
              now() - interval '40 days', now() - interval '31 days', 30
         from workflow_runs where id = $1 returning id`,
      [
        ids['plain'],
        idAt(
          new Date(
            expectStatus(await ada.api.get(`${ada.home}/runs/${ids['plain']}`), 200).createdAt,
          ).getTime() -
            40 * 86_400_000,
        ),
      ],
    );
    const past = idAt(
      new Date(expectStatus(await ada.api.get(`${ada.home}/runs/${ids['plain']}`), 200).createdAt).getTime() -
        year,
    );
    for (const runId of [old?.id, past]) {
      for (const path of ['', '/node-runs', '/events', '/stream', '/download']) {
        const problem = expectStatus(await ada.api.get(`${ada.home}/runs/${runId}${path}`), 410);
        expect(problem.code).toBe('run.expired');
      }
    }
    expect(expectStatus(await bob.api.get(`${bob.home}/runs/${past}`), 410).code).toBe('run.expired');
    expect(expectStatus(await bob.api.get(`${bob.home}/runs/${ids['plain']}`), 404).code).toBe(
      'run.not_found',
    );
    expect(await list('limit=100')).not.toContain(old?.id);
  });

  it('tells what it takes up', async () => {
    await eventually(
      async () => {
        const usage = expectStatus(await ada.api.get(`${ada.home}/usage/history`), 200);
        expect(usage).toMatchObject({ runs: 3, budgetBytes: null, retentionDays: 365 });
        expect(usage.bytes).toBeGreaterThan(300);
        expect(usage.oldestKeptAt).not.toBeNull();
      },
      { timeoutMs: 20_000 },
    );
  });

  it('streams all runs of the workspace, goes on behind an event, and says when it cannot', async () => {
    const reader = await EventReader.open(ada.api, `${ada.home}/runs/stream`);
    const runId = await start(workflow, { input: { name: 'Cid' } });
    await reader.received('run.succeeded');
    reader.close();
    const told = reader.events.filter(({ data }) => data.runId === runId);
    expect(told.map(({ data: { runId: _, ...event } }) => event)).toEqual(await eventsOf(ada, runId));
    const again = await EventReader.open(ada.api, `${ada.home}/runs/stream`, reader.events[1]?.id);
    await again.received('run.succeeded');
    again.close();
    expect(again.events).toEqual(reader.events.slice(2));
    const headers = { ...ada.api.credentials(), 'last-event-id': `900000000000000000.${runId}.1` };
    const answer = await fetch(new URL(`${ada.home}/runs/stream`, ada.api.url), { headers });
    expect([answer.status, ((await answer.json()) as Json).code]).toEqual([410, 'stream.expired']);
  });
});
