import { randomUUID } from 'node:crypto';
import { eventually } from '#platform/testing';
import { permissionsOf, type Role, roles } from '#workspaces';
import { type Account, apiKeyOf, signUp } from './support/account';
import { type Answer, type ApiClient, expectStatus } from './support/api-client';
import { useInstallation } from './support/installation';
import { memberOf } from './support/members';
import {
  Examples,
  isOfWorkspace,
  type Operation,
  operationsOf,
  pathOf,
  requestOf,
  takesIds,
} from './support/operations';
import { publish, runInStatus, startRun } from './support/workflows';

jest.setTimeout(120_000);

/** Open to the world, each for a reason. A route that is missing here and needs no credentials is a mistake. */
const PUBLIC = [
  'accountDeletion_confirm',
  'auth_signIn',
  'auth_signUp',
  'callbacks_call',
  'hooks_call',
  'hooks_get',
  'hooks_put',
  'offerPage_show',
  'options_show',
  'passwords_forgot',
  'passwords_reset',
  'secondFactorSignIn_complete',
  'verification_resend',
  'verification_verify',
  'waitlist_join',
];

/** They take a body because a definition or a schedule does not fit into a URL, and write nothing. */
const READING_POSTS = ['schedulePreview_preview', 'workflows_validate'];

/** Walks every route of the OpenAPI document: a new one is covered without a line here. */
describe('the wall between tenants', () => {
  const installation = useInstallation();
  let operations: readonly Operation[];
  let server: ApiClient;
  let ada: Account;
  let eve: Account;
  /** Ada's colleagues, by what they are in her workspace. */
  const colleagues = new Map<Role, Account>();
  /** What is in Ada's workspace, by the names that paths give it. */
  let examples: Examples;

  beforeAll(async () => {
    ({ server } = await installation().start());
    operations = await operationsOf(server);
    [ada, eve] = await Promise.all([signUp(server), signUp(server)]);
    const { testDb } = installation();
    for (const role of ['admin', 'member', 'viewer'] as const) {
      colleagues.set(role, await memberOf(ada, { server, testDb, role }));
    }
    colleagues.set('owner', ada);
    await publish(ada, {
      nodes: [{ id: 'when', type: 'trigger.schedule', params: { dates: ['2099-01-01'] } }],
      edges: [],
    });
    const asking = await publish(ada, {
      nodes: [
        { id: 'begin', type: 'trigger.manual' },
        { id: 'ask', type: 'approval', params: { title: 'Go on?' } },
      ],
      edges: [{ from: 'begin', to: 'ask' }],
    });
    await runInStatus(ada, await startRun(ada, asking), 'waiting');
    // Last, since the newest run is the example: the stream of one that goes on would never end.
    const workflow = await publish(ada, { nodes: [{ id: 'begin', type: 'trigger.manual' }], edges: [] });
    const runId = await startRun(ada, workflow);
    await runInStatus(ada, runId, 'succeeded');
    const broken = await publish(ada, {
      nodes: [
        { id: 'begin', type: 'trigger.manual' },
        { id: 'hook', type: 'trigger.webhook' },
        { id: 'broken', type: 'fail', params: { message: 'on purpose' } },
      ],
      edges: [
        { from: 'begin', to: 'broken' },
        { from: 'hook', to: 'broken' },
      ],
    });
    const { runId: called } = expectStatus(await server.post(broken.hookPath ?? '', {}), 202);
    await runInStatus(ada, called, 'failed');
    await runInStatus(ada, await startRun(ada, broken), 'failed');
    // What history takes up is noted a little later.
    await eventually(
      async () => {
        expect((await ada.api.get(`${ada.home}/usage/history`)).body.runs).toBe(4);
      },
      { timeoutMs: 30_000 },
    );
    await arrangeWhatCannotBeAdded();
    examples = new Examples(ada.api, operations, { workspaceId: ada.workspaceId });
  });

  /** One of each thing that somebody else has to do, or that comes about otherwise than by adding it to a list. */
  async function arrangeWhatCannotBeAdded(): Promise<void> {
    const [{ email }] = (await installation().testDb.sql<{ email: string }>(
      'update users set email_verified_at = now() where id = $1 returning email',
      [ada.userId],
    )) as [{ email: string }];
    expectStatus(await ada.api.put(`${ada.home}/secrets/KEY`, { value: 'a value of Ada' }), 201);
    const bob = await signUp(server);
    expectStatus(await bob.api.post(`${bob.home}/invitations`, { email, role: 'viewer' }), 201);
    const { id } = expectStatus(await ada.api.post('/v1/workspaces', { name: 'Given up' }), 201);
    expectStatus(await ada.api.send('DELETE', `/v1/workspaces/${id}`), 200);
  }

  async function call(
    api: ApiClient,
    operation: Operation,
    ids: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    return api.send(operation.method, pathOf(operation, ids), requestOf(operation));
  }

  /** The bytes of a problem, without what tells requests apart. */
  function withoutTraces({ text, body, status }: Answer): string {
    const bare = text
      .replace(JSON.stringify(body?.instance), '""')
      .replace(JSON.stringify(body?.requestId), '""');
    return `${status} ${bare}`;
  }

  /** The same ids, but of things that do not exist; what is no id (the number of a version) stays. */
  const missing = (ids: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(ids).map(([name, id]) => [name, /^[0-9a-f-]{36}$/.test(id) ? randomUUID() : id]),
    );
  const each = async (chosen: readonly Operation[], check: (operation: Operation) => Promise<unknown>) => {
    expect(chosen.length).toBeGreaterThan(0);
    const found: Record<string, unknown> = {};
    for (const operation of chosen) found[operation.id] = await check(operation);
    return found;
  };
  const all = (chosen: readonly Operation[], value: unknown) =>
    Object.fromEntries(chosen.map(({ id }) => [id, value]));
  const colleague = (role: Role): Account => {
    const found = colleagues.get(role);
    if (!found) throw new Error(`Nobody is ${role}.`);
    return found;
  };
  const same404 = (foreign: string, none: string) =>
    foreign.startsWith('404 ') && foreign === none ? 'same 404' : `${foreign} <> ${none}`;

  it('stands: its owner reaches everything behind it', async () => {
    const reading = operations.filter((operation) => isOfWorkspace(operation) && operation.method === 'GET');
    const found = await each(
      reading,
      async (operation) => (await call(ada.api, operation, await examples.of(operation))).status,
    );
    expect(found).toEqual(all(reading, 200));
  });

  it('answers 401 to whoever shows no credentials, and has few doors that ask for none', async () => {
    expect(
      operations
        .filter(({ isPublic }) => isPublic)
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(PUBLIC);
    const guarded = operations.filter(({ isPublic }) => !isPublic);
    for (const api of [server.as(null), server.as('wrong')]) {
      const found = await each(guarded, async (operation) => {
        const { status, body } = await call(api, operation, await examples.of(operation));
        return `${status} ${body?.code}`;
      });
      expect(found).toEqual(all(guarded, '401 request.unauthenticated'));
    }
  });

  it('gives a stranger the very 404 of a workspace that does not exist', async () => {
    const inside = operations.filter(isOfWorkspace);
    const { key } = await apiKeyOf(eve, 'admin');
    for (const stranger of [eve.api, server.as(key)]) {
      const found = await each(inside, async (operation) => {
        const ids = await examples.of(operation);
        const foreign = await call(stranger, operation, ids);
        const none = await call(stranger, operation, { ...ids, workspaceId: randomUUID() });
        return same404(withoutTraces(foreign), withoutTraces(none));
      });
      expect(found).toEqual(all(inside, 'same 404'));
    }
  });

  it('gives foreign ids the very 404 of ids that do not exist, in the own workspace and outside of any', async () => {
    const withIds = operations.filter((operation) => takesIds(operation) && !operation.isPublic);
    const found = await each(withIds, async (operation) => {
      const own = { ...(await examples.of(operation)), workspaceId: eve.workspaceId };
      const foreign = await call(eve.api, operation, own);
      const none = await call(eve.api, operation, { ...missing(own), workspaceId: eve.workspaceId });
      return same404(withoutTraces(foreign), withoutTraces(none));
    });
    expect(found).toEqual(all(withIds, 'same 404'));
  });

  it('answers to a foreign id in a body as to one that does not exist', async () => {
    const withIds = operations.filter(({ bodyIds, isPublic }) => bodyIds.length > 0 && !isPublic);
    for (const operation of withIds) {
      const ids = { ...(await examples.of(operation)), workspaceId: eve.workspaceId };
      const sendWith = (id: string) =>
        eve.api.send(operation.method, pathOf(operation, ids), {
          ...requestOf(operation),
          body: JSON.stringify({
            ...(operation.sampleBody as object),
            ...Object.fromEntries(operation.bodyIds.map((name) => [name, id])),
          }),
        });
      const [foreign, none] = [await sendWith(ada.userId), await sendWith(randomUUID())];
      expect(`${operation.id} ${withoutTraces(foreign).replaceAll(ada.userId, '')}`).toBe(
        `${operation.id} ${withoutTraces(none).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '')}`,
      );
      expect(foreign.status).toBeGreaterThanOrEqual(400);
    }
  });

  it('shows no trace of one tenant in the lists of another', async () => {
    const lists = operations.filter(
      (operation) =>
        operation.method === 'GET' &&
        !operation.isPublic &&
        operation.pathParameters.every((name) => name === 'workspaceId'),
    );
    const withIds = operations.filter((operation) => takesIds(operation) && !operation.isPublic);
    const known = await Promise.all(withIds.map((operation) => examples.of(operation)));
    const foreign = [...known.flatMap((ids) => Object.values(ids)), ada.userId].filter(
      (id) => id.length > 10,
    );
    const found = await each(lists, async (operation) => {
      const { text } = await call(eve.api, operation, { workspaceId: eve.workspaceId });
      return foreign.filter((id) => text.includes(id));
    });
    expect(found).toEqual(all(lists, []));
    const filtered = await eve.api.get(`${eve.home}/runs?workflowId=${foreign[0]}`);
    expect(filtered).toMatchObject({ status: 200, body: { data: [] } });
  });

  it.each(roles.filter((role) => role !== 'owner'))(
    'refuses a session of the role %s whatever the role does not allow, and changes nothing',
    async (role) => {
      const withheld = operations.filter(
        ({ permission }) =>
          permission !== null && ![...permissionsOf(role)].some((one) => one === permission),
      );
      const before = await history();
      const found = await each(withheld, async (operation) => {
        const { status, body } = await call(colleague(role).api, operation, await examples.of(operation));
        return `${status} ${body?.code} ${body?.permission === operation.permission}`;
      });
      expect(found).toEqual(all(withheld, '403 request.forbidden true'));
      expect(await history()).toEqual(before);
    },
  );

  it('lets each role read what the role allows', async () => {
    for (const role of roles) {
      const reading = operations.filter(
        ({ permission, method }) =>
          method === 'GET' && [...permissionsOf(role)].some((one) => one === permission),
      );
      const found = await each(
        reading,
        async (operation) =>
          (await call(colleague(role).api, operation, await examples.of(operation))).status,
      );
      expect(found).toEqual(all(reading, 200));
    }
  });

  it('lets the key of a viewer change nothing', async () => {
    const { key } = await apiKeyOf(ada, 'viewer');
    const viewer = server.as(key);
    const writing = operations.filter(({ method, isPublic }) => method !== 'GET' && !isPublic);
    const before = await history();
    const found = await each(writing, async (operation) => {
      const { status, body } = await call(viewer, operation, await examples.of(operation));
      return status === 403 ? `403 ${body.code}` : `${status}`;
    });
    expect(found).toEqual({
      ...all(writing, '403 request.forbidden'),
      ...Object.fromEntries(READING_POSTS.map((id) => [id, '200'])),
    });
    expect(await history()).toEqual(before);
  });

  it('lets a key do what its scopes say, and nothing else that its role could', async () => {
    const body = { name: 'Starter', role: 'admin', scopes: ['run:read', 'run:start'] };
    const { key } = expectStatus(await ada.api.post(`${ada.home}/api-keys`, body), 201);
    const inside = operations.filter(({ permission }) => permission !== null);
    const beyond = inside.filter(({ permission }) => permission !== 'run:read' && permission !== 'run:start');
    const found = await each(beyond, async (operation) => {
      const { status, body: answer } = await call(server.as(key), operation, await examples.of(operation));
      return `${status} ${answer?.code}`;
    });
    expect(found).toEqual(all(beyond, '403 request.forbidden'));
    expect((await server.as(key).get(`${ada.home}/runs`)).status).toBe(200);
  });

  it('shows a viewer no address of a webhook: whoever knows one starts runs', async () => {
    const [workflow] = expectStatus(await ada.api.get(`${ada.home}/workflows`), 200).data;
    const { text } = await colleague('viewer').api.get(`${ada.home}/workflows/${workflow.id}`);
    expect(text).not.toContain('/hooks/');
  });

  it('gives somebody who was removed the very 404 of a stranger, with the session they had', async () => {
    const { testDb } = installation();
    const mallory = await memberOf(ada, { server, testDb, role: 'admin' });
    const { key } = await apiKeyOf(mallory, 'admin');
    expectStatus(await mallory.api.get(`${ada.home}/runs`), 200);
    expectStatus(await ada.api.send('DELETE', `${ada.home}/members/${mallory.userId}?reason=gone`), 204);
    const inside = operations.filter(isOfWorkspace);
    const found = await each(inside, async (operation) => {
      const ids = await examples.of(operation);
      const foreign = await call(mallory.api, operation, ids);
      const none = await call(mallory.api, operation, { ...ids, workspaceId: randomUUID() });
      return same404(withoutTraces(foreign), withoutTraces(none));
    });
    expect(found).toEqual(all(inside, 'same 404'));
    const byKey = await each(
      inside,
      async (operation) => (await call(server.as(key), operation, await examples.of(operation))).status,
    );
    expect(byKey).toEqual(all(inside, 401));
  });

  /** What the workspace holds, as far as its owner sees. */
  async function history(): Promise<readonly string[]> {
    const lists = operations.filter(
      ({ method, path, pathParameters }) =>
        method === 'GET' && pathParameters.join() === 'workspaceId' && !path.endsWith('/export'),
    );
    const answers = await Promise.all(
      lists.map((operation) => call(ada.api, operation, { workspaceId: ada.workspaceId })),
    );
    return answers.map(({ text }) => text.replace(/"lastUsedAt":("[^"]*"|null)/g, ''));
  }
});
