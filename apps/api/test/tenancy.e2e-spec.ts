import { randomUUID } from 'node:crypto';
import { type Account, apiKeyOf, signUp } from './support/account';
import type { Answer, ApiClient } from './support/api-client';
import { useInstallation } from './support/installation';
import { isOfWorkspace, type Operation, operationsOf, pathOf, requestOf } from './support/operations';
import { publish, runInStatus, startRun } from './support/workflows';

jest.setTimeout(60_000);

/** Open to the world, each for a reason. A route that is missing here and needs no credentials is a mistake. */
const PUBLIC = ['auth_signIn', 'auth_signUp', 'hooks_call', 'verification_verify'];

/** They take a body because a definition does not fit into a URL, and write nothing. */
const READING_POSTS = ['workflows_validate'];

/** Walks every route of the OpenAPI document: a new one is covered without a line here. */
describe('the wall between tenants', () => {
  const installation = useInstallation();
  let operations: readonly Operation[];
  let server: ApiClient;
  let ada: Account;
  let eve: Account;
  /** Ids of what is in Ada's workspace, by the names that paths give them. */
  let adas: Readonly<Record<string, string>>;

  beforeAll(async () => {
    ({ server } = await installation().start());
    operations = await operationsOf(server);
    [ada, eve] = await Promise.all([signUp(server), signUp(server)]);
    const workflow = await publish(ada, { nodes: [{ id: 'begin', type: 'trigger.manual' }], edges: [] });
    const runId = await startRun(ada, workflow);
    await runInStatus(ada, runId, 'succeeded');
    const { id: apiKeyId } = await apiKeyOf(ada, 'viewer');
    adas = { workspaceId: ada.workspaceId, workflowId: workflow.workflowId, runId, apiKeyId, number: '1' };
  });

  function call(
    api: ApiClient,
    operation: Operation,
    ids: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    return api.send(operation.method, pathOf(operation, ids), requestOf(operation));
  }

  /** The bytes of a problem, without what tells requests apart. */
  function withoutTraces({ text, body, status }: Answer): string {
    const bare = text
      .replace(JSON.stringify(body.instance), '""')
      .replace(JSON.stringify(body.requestId), '""');
    return `${status} ${bare}`;
  }

  const missing = () => randomUUID();
  const each = async (chosen: readonly Operation[], check: (operation: Operation) => Promise<unknown>) => {
    expect(chosen.length).toBeGreaterThan(0);
    const found: Record<string, unknown> = {};
    for (const operation of chosen) found[operation.id] = await check(operation);
    return found;
  };
  const all = (chosen: readonly Operation[], value: unknown) =>
    Object.fromEntries(chosen.map(({ id }) => [id, value]));

  it('stands: its owner reaches everything behind it', async () => {
    const reading = operations.filter((operation) => isOfWorkspace(operation) && operation.method === 'GET');
    const found = await each(reading, async (operation) => (await call(ada.api, operation, adas)).status);
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
        const { status, body } = await call(api, operation, adas);
        return `${status} ${body.code}`;
      });
      expect(found).toEqual(all(guarded, '401 request.unauthenticated'));
    }
  });

  it('gives a stranger the very 404 of a workspace that does not exist', async () => {
    const inside = operations.filter(isOfWorkspace);
    const { key } = await apiKeyOf(eve, 'admin');
    for (const stranger of [eve.api, server.as(key)]) {
      const found = await each(inside, async (operation) => {
        const foreign = withoutTraces(await call(stranger, operation, adas));
        const none = withoutTraces(await call(stranger, operation, { ...adas, workspaceId: missing() }));
        return foreign.startsWith('404 ') && foreign === none ? 'same 404' : `${foreign} <> ${none}`;
      });
      expect(found).toEqual(all(inside, 'same 404'));
    }
  });

  it('gives foreign ids inside the own workspace the very 404 of ids that do not exist', async () => {
    const withIds = operations.filter(
      (operation) => isOfWorkspace(operation) && operation.pathParameters.length > 1,
    );
    const own = { ...adas, workspaceId: eve.workspaceId };
    const found = await each(withIds, async (operation) => {
      const none = { ...own, workflowId: missing(), runId: missing(), apiKeyId: missing() };
      const foreign = withoutTraces(await call(eve.api, operation, own));
      const absent = withoutTraces(await call(eve.api, operation, none));
      return foreign.startsWith('404 ') && foreign === absent ? 'same 404' : `${foreign} <> ${absent}`;
    });
    expect(found).toEqual(all(withIds, 'same 404'));
  });

  it('shows no trace of one tenant in the lists of another', async () => {
    const lists = operations.filter(
      (operation) =>
        isOfWorkspace(operation) && operation.method === 'GET' && operation.pathParameters.length === 1,
    );
    const foreign = [ada.workspaceId, ada.userId, adas['workflowId'], adas['runId'], adas['apiKeyId']];
    const found = await each(lists, async (operation) => {
      const { text } = await call(eve.api, operation, { workspaceId: eve.workspaceId });
      return foreign.filter((id) => id !== undefined && text.includes(id));
    });
    expect(found).toEqual(all(lists, []));
    const filtered = await eve.api.get(`${eve.home}/runs?workflowId=${adas['workflowId']}`);
    expect(filtered).toMatchObject({ status: 200, body: { data: [] } });
  });

  it('lets a viewer change nothing', async () => {
    const { key } = await apiKeyOf(ada, 'viewer');
    const viewer = server.as(key);
    const writing = operations.filter(({ method, isPublic }) => method !== 'GET' && !isPublic);
    const before = await history();
    const found = await each(writing, async (operation) => {
      const { status, body } = await call(viewer, operation, adas);
      return status === 403 ? `403 ${body.code}` : `${status}`;
    });
    expect(found).toEqual({
      ...all(writing, '403 request.forbidden'),
      ...Object.fromEntries(READING_POSTS.map((id) => [id, '200'])),
    });
    expect(await history()).toEqual(before);
  });

  it('lets a viewer read what a viewer may, and says which permission the rest needs', async () => {
    const { key } = await apiKeyOf(ada, 'viewer');
    const viewer = server.as(key);
    const reading = operations.filter((operation) => isOfWorkspace(operation) && operation.method === 'GET');
    const refused = await each(reading, async (operation) => {
      const { status, body } = await call(viewer, operation, adas);
      return status === 200 ? null : body.permission;
    });
    const withheld = Object.entries(refused).filter(([, permission]) => permission !== null);
    expect(Object.fromEntries(withheld)).toEqual({
      apiKeys_list: 'api_key:manage',
      auditLog_list: 'audit:read',
      usage_current: 'billing:read',
    });
    // Whoever knows the address of a webhook starts runs.
    const { text } = await viewer.get(`${ada.home}/workflows/${adas['workflowId']}`);
    expect(text).not.toContain('/hooks/');
  });

  /** What the workspace holds, as far as its owner sees. */
  async function history(): Promise<readonly string[]> {
    const lists = ['', '/workflows', '/runs', '/members', '/audit-log', '/api-keys'];
    const answers = await Promise.all(lists.map((list) => ada.api.get(`${ada.home}${list}`)));
    return answers.map(({ text }) => text.replace(/"lastUsedAt":("[^"]*"|null)/g, ''));
  }
});
