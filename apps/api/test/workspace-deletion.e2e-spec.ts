import { eventually } from '#platform/testing';
import { type Account, apiKeyOf, signUp } from './support/account';
import { type ApiClient, expectStatus } from './support/api-client';
import { useInstallation } from './support/installation';
import { memberOf } from './support/members';
import { chain, publish, type Published, runInStatus, startRun } from './support/workflows';

jest.setTimeout(60_000);

describe('A workspace', () => {
  const installation = useInstallation();
  let server: ApiClient;
  let ada: Account;
  let workflow: Published;

  beforeAll(async () => {
    ({ server } = await installation().start());
    ada = await signUp(server);
    workflow = await publish(ada, {
      nodes: [
        { id: 'begin', type: 'trigger.manual' },
        { id: 'hook', type: 'trigger.webhook' },
        { id: 'pause', type: 'delay', params: { seconds: 3_600 } },
      ],
      edges: [...chain('begin', 'pause'), ...chain('hook', 'pause')],
    });
  });

  const colleague = (role: string) => memberOf(ada, { server, testDb: installation().testDb, role });
  const callHook = () => server.post(workflow.hookPath ?? '', {});

  it('that is deleted is a 404 to all, starts nothing, stops what runs, and comes back', async () => {
    const bob = await colleague('admin');
    const { key } = await apiKeyOf(ada, 'admin');
    const doors = [ada.api, bob.api, server.as(key)];
    const runId = await startRun(ada, workflow);
    await runInStatus(ada, runId, 'waiting');

    expectStatus(await bob.api.send('DELETE', ada.home), 403);
    const deleted = expectStatus(await ada.api.send('DELETE', ada.home), 200);
    expect(Date.parse(deleted.purgeAt) - Date.parse(deleted.deletedAt)).toBe(30 * 24 * 60 * 60_000);
    for (const door of doors) {
      for (const path of ['', '/members', '/workflows', `/runs/${runId}`]) {
        expectStatus(await door.get(`${ada.home}${path}`), 404);
      }
    }
    expect((await ada.api.get('/v1/workspaces')).body.data).toEqual([]);
    // What was in memory of it is so for five seconds.
    await eventually(async () => expectStatus(await callHook(), 404));

    const theirs = expectStatus(await bob.api.get('/v1/deleted-workspaces'), 200).data;
    expect(theirs).toEqual([]);
    expect(expectStatus(await ada.api.get('/v1/deleted-workspaces'), 200).data).toEqual([deleted]);
    const restore = `/v1/deleted-workspaces/${ada.workspaceId}/restore`;
    expectStatus(await bob.api.post(restore), 404);
    expectStatus(await ada.api.post(restore), 200);
    expectStatus(await ada.api.post(restore), 404);
    for (const door of doors) expectStatus(await door.get(ada.home), 200);
    // A start just after the deletion may have had its run; no run of before goes on.
    const run = await runInStatus(ada, runId, 'canceled');
    expect(run.error).toMatchObject({ code: 'run.canceled' });
    await eventually(async () => expectStatus(await callHook(), 202));
  });

  it('keeps the workflows of a member who is removed', async () => {
    const bob = await colleague('member');
    const theirs = await publish(bob, { nodes: [{ id: 'begin', type: 'trigger.manual' }], edges: [] });
    expectStatus(await ada.api.send('DELETE', `${ada.home}/members/${bob.userId}?reason=moved`), 204);
    expectStatus(await bob.api.get(theirs.path), 404);
    await runInStatus(ada, await startRun(ada, theirs), 'succeeded');
  });

  it('gives its audit log as a file, with the caller of each change of a workflow', async () => {
    const answer = await ada.api.get(`${ada.home}/audit-log/export?action=workflow.published`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toBe(
      `attachment; filename="audit-log-${ada.workspaceId}.csv"`,
    );
    const [header, ...lines] = answer.text.trimEnd().split('\n');
    expect(header).toMatch(/^at,id,.*,ip,userAgent$/);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/,(::ffff:)?127\.0\.0\.1,node$/);
    const narrowed = await ada.api.get(`${ada.home}/audit-log/export?targetId=x`);
    expect(narrowed).toMatchObject({ status: 400, body: { errors: [{ pointer: '?targetId' }] } });
  });

  it('refuses what its settings and roles cannot be, and says where', async () => {
    const bob = await colleague('member');
    const wrong = [
      ['PATCH', '', { slug: 'Not a slug' }, '/slug'],
      ['PATCH', '', { settings: { timeZone: 'Mars/Olympus' } }, '/settings/timeZone'],
      ['PATCH', '', { settings: { unknown: 1 } }, '/settings/unknown'],
      ['PATCH', `/members/${bob.userId}`, { role: 'owner' }, '/role'],
    ] as const;
    for (const [method, path, body, pointer] of wrong) {
      const answer = await ada.api.send(method, `${ada.home}${path}`, {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      });
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
    }
  });
});
