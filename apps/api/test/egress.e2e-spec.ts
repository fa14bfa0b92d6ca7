import { eventually } from '#platform/testing';
import { type Account, signUp } from './support/account';
import { type ApiClient, expectStatus } from './support/api-client';
import { useInstallation } from './support/installation';
import { Sink } from './support/sink';
import { chain, nodeRunsOf, publish, type Published, runInStatus, startRun } from './support/workflows';

jest.setTimeout(120_000);

const CORPUS = [
  'http://169.254.169.254/latest/meta-data/?token=canary',
  'http://0xa9fea9fe/?token=canary',
  'http://[::ffff:169.254.169.254]/?token=canary',
  'http://10.0.0.1/?token=canary',
  'http://100.64.0.1/?token=canary',
  'http://[64:ff9b::a00:1]/?token=canary',
  'http://[2002:a00:1::]/?token=canary',
  'http://0.0.0.0:8080/?token=canary',
  'http://[::1]:8080/?token=canary',
  'http://user:canary@example.com/',
  'http://example.com:6379/?token=canary',
  'gopher://example.com/?token=canary',
];

describe('what workflows may call', () => {
  const installation = useInstallation();
  let server: ApiClient;
  let sink: Sink;
  let ada: Account;
  let calling: Published;

  beforeAll(async () => {
    // Policies are saved in one process and kept to in the other.
    ({ server } = await installation().start({ ROLES: 'api' }));
    await installation().start({ ROLES: 'worker,scheduler' });
    sink = await Sink.start();
    installation().testDb.beforeClose(() => sink.close());
    ada = await signUp(server);
    calling = await publish(ada, {
      nodes: [
        { id: 'begin', type: 'trigger.manual' },
        { id: 'each', type: 'for_each', params: { items: '{{ trigger.urls }}', onItemError: 'continue' } },
        { id: 'call', type: 'http.request', parent: 'each', params: { url: '{{ item }}' } },
      ],
      edges: chain('begin', 'each'),
    });
  });

  const policyPath = () => `${ada.home}/egress-policy`;
  const save = (policy: object, revision: number | '*' = '*') =>
    ada.api.put(policyPath(), policy, { 'if-match': revision === '*' ? '*' : `"${revision}"` });
  const call = async (...urls: readonly string[]) => {
    const runId = await startRun(ada, calling, { urls });
    await runInStatus(ada, runId, 'succeeded');
    return runId;
  };
  const blocks = async (query: string) =>
    expectStatus(await ada.api.get(`${ada.home}/egress-blocks?limit=100&${query}`), 200).data;

  it('is refused by the guard in any spelling, from a worker, with one record for each', async () => {
    const runId = await call(...CORPUS);
    const kept: { count: number; nodeId: string; workflowId: string }[] = await blocks(`runId=${runId}`);
    expect(kept.reduce((sum, { count }) => sum + count, 0)).toBe(CORPUS.length);
    expect(new Set(kept.map(({ nodeId, workflowId }) => `${nodeId} ${workflowId}`))).toEqual(
      new Set([`call ${calling.workflowId}`]),
    );
    const rows = await installation().testDb.sql<{ all: string }>(
      `select jsonb_agg(e)::text as all from egress_block_events e`,
    );
    expect(rows[0]?.all).not.toContain('canary');
  });

  it('says in the node what refused it', async () => {
    const single = await publish(ada, {
      nodes: [
        { id: 'begin', type: 'trigger.manual' },
        { id: 'call', type: 'http.request', params: { url: 'http://10.0.0.1/path?token=canary' } },
      ],
      edges: chain('begin', 'call'),
    });
    const runId = await startRun(ada, single);
    await runInStatus(ada, runId, 'failed');
    const { call: node } = await nodeRunsOf(ada, runId);
    expect(node.error).toMatchObject({
      code: 'egress.blocked',
      details: { rule: 'address.private', url: 'http://10.0.0.1/path' },
    });
  });

  it('is what the policy says, in other processes within seconds, and never more', async () => {
    await call(sink.url('/'));
    expect(sink.calls).toHaveLength(1);
    expectStatus(await save({ defaultAction: 'deny' }), 200);
    await eventually(
      async () => {
        const runId = await call(sink.url('/'));
        expect(await blocks(`runId=${runId}&rule=policy.default&dryRun=false`)).toHaveLength(1);
      },
      { timeoutMs: 20_000 },
    );
    const before = sink.calls.length;
    await call(sink.url('/'));
    expect(sink.calls).toHaveLength(before);
    expectStatus(await save({ defaultAction: 'allow', allow: ['10.0.0.0/8', '169.254.169.254'] }), 200);
    await eventually(
      async () => {
        await call(sink.url('/'));
        expect(sink.calls.length).toBeGreaterThan(before);
      },
      { timeoutMs: 20_000 },
    );
    const runId = await call('http://10.0.0.1/', 'http://169.254.169.254/');
    expect((await blocks(`runId=${runId}`)).map(({ rule }: { rule: string }) => rule).toSorted()).toEqual([
      'address.metadata',
      'address.private',
    ]);
  });

  it('is saved only as entries that are understood, each wrong one named by its place', async () => {
    const answer = await save({
      defaultAction: 'allow',
      allow: ['good.example.com', 'https://bad.example.com/', '*.10.0.0.1'],
      deny: ['127.1'],
      more: 1,
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer).toSorted()).toEqual([
      '/allow/1',
      '/allow/2',
      '/deny/0',
      '/more',
    ]);
  });

  it('takes 500 entries in both lists together, and not one more', async () => {
    const hosts = (count: number, name: string) =>
      Array.from({ length: count }, (_, i) => `${name}${i}.example.com`);
    const full = { defaultAction: 'deny', allow: hosts(250, 'a'), deny: hosts(250, 'd') };
    const { revision } = expectStatus(await save(full), 200);
    const more = await save({ ...full, deny: hosts(251, 'd') });
    expect(more).toMatchObject({ status: 400, body: { errors: [{ pointer: '/deny' }] } });
    expect(expectStatus(await ada.api.get(policyPath()), 200)).toMatchObject({ revision, deny: full.deny });
  });

  it('is replaced only by those who have seen what they replace', async () => {
    const read = await ada.api.get(policyPath());
    const { revision } = expectStatus(read, 200);
    expect(read.headers.get('etag')).toBe(`"${revision}"`);
    expectStatus(await save({ defaultAction: 'allow' }, revision), 200);
    expect(await save({ defaultAction: 'deny' }, revision)).toMatchObject({
      status: 412,
      body: { currentRevision: revision + 1 },
    });
    expect(await ada.api.put(policyPath(), { defaultAction: 'deny' })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: 'header If-Match' }] },
    });
  });

  it.each(['dryRun=yes', 'runId=x', 'limit=0', 'cursor=x', 'rule='])(
    'lists nothing for ?%s',
    async (query) => {
      expect((await ada.api.get(`${ada.home}/egress-blocks?${query}`)).status).toBe(400);
    },
  );
});
