import { randomBytes } from 'node:crypto';
import { EchoServer, eventually, foundIn, Signal } from '#platform/testing';
import { type Account, signUp } from './support/account';
import { expectStatus } from './support/api-client';
import { EventReader } from './support/event-stream';
import { useInstallation } from './support/installation';
import type { Json } from './support/json';
import { ListeningClient } from './support/listening-client';
import { memberOf } from './support/members';
import { MillraceProcess } from './support/millrace-process';
import { chain, publish, runInStatus, startRun } from './support/workflows';

jest.setTimeout(180_000);

const key = () => randomBytes(32).toString('base64');
const [second, third] = [`2:${key()}`, `3:${key()}`];

/** Canaries: one of each kind of text that a secret is, random each time. */
const CANARIES: Readonly<Record<string, string>> = {
  TOKEN: `ghp_${randomBytes(24).toString('base64url')}`,
  PASSWORD: `p@ss "${randomBytes(9).toString('base64')}" & <50%> \\${randomBytes(6).toString('hex')}`,
  HEADER: randomBytes(32).toString('hex'),
  PATH_KEY: randomBytes(24).toString('base64url'),
  UMLAUT: `schlüssel-${randomBytes(18).toString('base64')}-für-ünicode`,
  PRIVATE_KEY: [
    '-----BEGIN PRIVATE KEY-----',
    ...Array.from({ length: 4 }, () => randomBytes(36).toString('base64')),
    '-----END PRIVATE KEY-----',
    '',
  ].join('\n'),
};

/** Goes through everything that a run can do with an answer, and then looks for the secrets in all that is kept and said. */
describe('Secrets of workspaces', () => {
  const installation = useInstallation({
    LOG_LEVEL: 'trace',
    WORKER_LEASE_SECONDS: '2',
    ENCRYPTION_KEYS: second,
  });
  const heard: string[] = [];
  const processes: MillraceProcess[] = [];
  let echo: EchoServer;
  let worker: MillraceProcess;
  let server: ListeningClient;
  let ada: Account;
  let runId: string;
  let failedId: string;

  async function start(environment: Readonly<Record<string, string>>): Promise<MillraceProcess> {
    const { process } = await installation().start(environment);
    processes.push(process);
    return process;
  }

  beforeAll(async () => {
    echo = await EchoServer.start();
    installation().testDb.beforeClose(() => echo.close());
    const [api, first] = await Promise.all([start({ ROLES: 'api,scheduler' }), start({ ROLES: 'worker' })]);
    worker = first;
    server = new ListeningClient(api.url, null, heard);
    ada = await signUp(server);
    for (const [name, value] of Object.entries(CANARIES)) {
      expectStatus(await ada.api.put(`${ada.home}/secrets/${name}`, { value }), 201);
    }
  });

  /** A request with every secret, each in a place of its own. */
  const everything = (path: string) => ({
    method: 'POST',
    url: `${echo.origin}${path}/{{ secrets.PATH_KEY }}`,
    query: { token: '{{ secrets.TOKEN }}' },
    headers: { 'X-Key': '{{ "Key " & secrets.HEADER }}', 'X-Path': '{{ secrets.PATH_KEY }}' },
    auth: { basic: { username: 'ada', password: '{{ secrets.PASSWORD }}' } },
    body: {
      json: '{{ {"key": secrets.PRIVATE_KEY, "text": "<" & secrets.UMLAUT & ">", "token": secrets.TOKEN} }}',
    },
  });

  const caught = { retry: { attempts: 2, delaySeconds: 0 }, onError: 'continue' };

  it('are used by a run that does everything with what it is answered', async () => {
    const errors = await publish(ada, {
      nodes: [
        { id: 'failed', type: 'trigger.error' },
        { id: 'note', type: 'set', params: { values: { all: '{{ trigger }}' } } },
      ],
      edges: chain('failed', 'note'),
    });
    const child = await publish(ada, {
      nodes: [
        { id: 'begin', type: 'trigger.workflow' },
        { id: 'note', type: 'set', params: { values: { all: '{{ trigger }}' } } },
      ],
      edges: chain('begin', 'note'),
    });
    const workflow = await publish(ada, {
      settings: { errorWorkflowId: errors.workflowId, labels: { what: 'secrets' } },
      nodes: [
        { id: 'begin', type: 'trigger.manual' },
        { id: 'all', type: 'http.request', params: everything('/all') },
        {
          id: 'bearer',
          type: 'http.request',
          params: { url: `${echo.origin}/bearer`, auth: { bearer: '{{ secrets.TOKEN }}' } },
        },
        { id: 'fails', type: 'http.request', params: everything('/fail'), ...caught },
        { id: 'bytes', type: 'http.request', params: everything('/bytes') },
        {
          id: 'lost',
          type: 'http.request',
          params: { ...everything('/redirect'), followRedirects: false },
          ...caught,
        },
        { id: 'led', type: 'http.request', params: everything('/redirect') },
        {
          id: 'refused',
          type: 'http.request',
          params: { url: 'http://10.0.0.1/{{ secrets.PATH_KEY }}' },
          ...caught,
        },
        {
          id: 'nowhere',
          type: 'http.request',
          params: { url: 'http://{{ secrets.HEADER }}.invalid/' },
          ...caught,
        },
        { id: 'notUrl', type: 'http.request', params: { url: 'http://[{{ secrets.PASSWORD }}' }, ...caught },
        {
          id: 'badHeader',
          type: 'http.request',
          params: { url: echo.origin, headers: { a: '{{ secrets.PRIVATE_KEY }}' } },
          ...caught,
        },
        { id: 'each', type: 'for_each', params: { items: '{{ [nodes.all, nodes.bytes] }}' } },
        { id: 'again', type: 'http.request', parent: 'each', params: everything('/loop') },
        {
          id: 'code',
          type: 'code',
          params: { input: '{{ nodes.all }}', code: 'return [input, JSON.stringify(input)]' },
        },
        {
          id: 'called',
          type: 'run.workflow',
          params: { workflowId: child.workflowId, input: '{{ {"all": nodes.all} }}' },
        },
        { id: 'pause', type: 'delay', params: { seconds: 1 } },
        {
          id: 'ask',
          type: 'approval',
          params: {
            title: 'Go on?',
            message: '{{ $substring($string(nodes.fails), 0, 9000) }}',
            selfApproval: true,
          },
        },
        { id: 'link', type: 'set', params: { values: { url: '{{ run.callbacks.hear }}' } } },
        { id: 'hear', type: 'wait.callback' },
        { id: 'unsafe', type: 'http.request', params: everything('/unsafe'), repeat: 'unsafe' },
        {
          id: 'end',
          type: 'fail',
          params: { message: '{{ $substring($string([nodes.hear, nodes.all]), 0, 1900) }}' },
        },
      ],
      edges: [
        ...chain(
          'begin',
          'all',
          'bearer',
          'fails',
          'bytes',
          'lost',
          'led',
          'refused',
          'nowhere',
          'notUrl',
          'badHeader',
        ),
        ...chain('badHeader', 'each', 'code', 'called', 'pause', 'ask'),
        { from: 'ask', port: 'approved', to: 'link' },
        ...chain('link', 'hear', 'unsafe', 'end'),
      ],
    });
    runId = await startRun(ada, workflow);
    const stream = await EventReader.open(ada.api, `${ada.home}/runs/${runId}/stream`);
    const all = await EventReader.open(ada.api, `${ada.home}/runs/stream`);

    const approval = await eventually(
      async () => {
        const { data } = expectStatus(await ada.api.get(`${ada.home}/approvals`), 200);
        if (!data[0]) throw new Error('Nothing is asked yet.');
        return data[0];
      },
      { timeoutMs: 30_000 },
    );
    expectStatus(await ada.api.post(`${ada.home}/approvals/${approval.id}/votes`, { vote: 'approve' }), 200);
    const link = await eventually(async () => {
      const { data } = expectStatus(await ada.api.get(`${ada.home}/runs/${runId}/node-runs`), 200);
      const found = data.find(({ nodeId }: Json) => nodeId === 'link')?.output.url;
      if (!found) throw new Error('The address is not known yet.');
      return new URL(found).pathname;
    });

    // The worker is lost in the middle of a request that may not be repeated: it is shown to whoever decides.
    const arrived = new Signal();
    echo.beforeAnswer = () => {
      if (echo.sentTo('/unsafe') !== '[]') arrived.give();
      return echo.sentTo('/unsafe') === '[]' ? Promise.resolve() : new Promise(() => undefined);
    };
    expectStatus(await server.post(link, { echoed: Object.values(CANARIES) }), 202);
    await arrived.arrived;
    await worker.kill('SIGKILL');
    echo.beforeAnswer = () => Promise.resolve();
    await start({ ROLES: 'worker' });
    await eventually(
      async () => {
        const { data } = expectStatus(await ada.api.get(`${ada.home}/decisions`), 200);
        expect(JSON.stringify(data)).toContain('Key {{secrets.HEADER}}');
      },
      { timeoutMs: 30_000 },
    );
    expectStatus(await ada.api.get(`${ada.home}/runs/${runId}/explain`), 200);
    const decide = { nodeId: 'unsafe', decision: 'repeat' };
    expectStatus(await ada.api.post(`${ada.home}/runs/${runId}/decide`, decide), 200);
    await runInStatus(ada, runId, 'failed');
    await stream.ended;
    failedId = await eventually(
      async () => {
        const { data } = expectStatus(
          await ada.api.get(`${ada.home}/runs?workflowId=${errors.workflowId}`),
          200,
        );
        if (data[0]?.status !== 'succeeded') throw new Error('The error workflow has not run.');
        return data[0].id;
      },
      { timeoutMs: 30_000 },
    );
    heard.push(JSON.stringify([stream.events, all.events]));
    all.close();
  });

  it('have reached the server as they are', () => {
    const [all] = echo.requests.filter(({ url }) => url.startsWith('/all'));
    expect(all?.url).toBe(`/all/${CANARIES['PATH_KEY']}?token=${CANARIES['TOKEN']}`);
    expect(all?.headers['x-key']).toBe(`Key ${CANARIES['HEADER']}`);
    expect(all?.headers.authorization).toBe(
      `Basic ${Buffer.from(`ada:${CANARIES['PASSWORD']}`).toString('base64')}`,
    );
    expect(JSON.parse(all?.body ?? '')).toEqual({
      key: CANARIES['PRIVATE_KEY'],
      text: `<${CANARIES['UMLAUT']}>`,
      token: CANARIES['TOKEN'],
    });
    const paths = ['/all', '/bearer', '/fail', '/bytes', '/redirect', '/loop', '/unsafe'];
    const counts = paths.map((path) => echo.requests.filter(({ url }) => url.startsWith(path)).length);
    expect(counts).toEqual([1, 1, 2, 1, 3, 2, 2]);
  });

  // This and the next were seen to fail with the mask of runs switched off: every secret was found, in nearly every form.
  it('are in no answer of the API', async () => {
    const read = async (path: string) => expectStatus(await ada.api.get(`${ada.home}${path}`), 200);
    for (const id of [runId, failedId]) {
      for (const path of ['', '/node-runs', '/events', '/download', '/stream', '/explain'])
        await read(`/runs/${id}${path}`);
    }
    for (const path of [
      '/runs',
      '/dead-letters',
      `/dead-letters/${runId}`,
      '/approvals',
      '/secrets',
      '/audit-log',
      '/workflows',
    ]) {
      await read(path);
    }
    for (const { id } of (await read('/runs')).data) await read(`/runs/${id}/download`);
    await server.get('/metrics');
    const said = heard.join('\n');
    for (const name of Object.keys(CANARIES)) expect(said).toContain(`***${name}***`);
    expect(found(said)).toEqual([]);
  });

  it('lie in no table of any schema', async () => {
    const { sql } = installation().testDb;
    const tables = await sql<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
        where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    const dump: string[] = [];
    for (const { name } of tables) {
      const rows = await sql<{ row: string }>(`select t::text as row from ${name} t`);
      dump.push(...rows.map(({ row }) => row));
    }
    const texts = dump.join('\n');
    // What lies there as bytes is read as text, too.
    const bytes = [...texts.matchAll(/\\x([0-9a-f]{12,})/g)].map(([, hex]) =>
      Buffer.from(hex ?? '', 'hex').toString('latin1'),
    );
    expect(texts.includes('***TOKEN***')).toBe(true);
    expect(
      found(`${texts}\n${texts.replaceAll('\\\\', '\\').replaceAll('""', '"')}\n${bytes.join('\n')}`),
    ).toEqual([]);
  });

  it('are in no line of any log', () => {
    const logs = processes.map(({ output }) => output).join('\n');
    expect(logs.length).toBeGreaterThan(1_000);
    expect(found(logs)).toEqual([]);
  });

  it('are told to admins by name and maker, and to members not at all', async () => {
    const { testDb } = installation();
    const [admin, member] = [
      await memberOf(ada, { server, testDb, role: 'admin' }),
      await memberOf(ada, { server, testDb, role: 'member' }),
    ];
    const path = `${ada.home}/secrets`;
    const { data } = expectStatus(await admin.api.get(path), 200);
    expect(data.map(({ name, createdBy }: Json) => [name, createdBy])).toEqual(
      Object.keys(CANARIES)
        .toSorted()
        .map((name) => [name, `user:${ada.userId}`]),
    );
    expectStatus(await member.api.get(path), 403);
    expectStatus(await member.api.put(`${path}/TOKEN`, { value: 'another value' }), 403);
    expectStatus(await member.api.send('DELETE', `${path}/TOKEN`), 403);
    expectStatus(await ada.api.send('DELETE', `${path}/TOKEN`), 409);
    // Fault 36: whoever has left reads and sets nothing any more, and what they made stays with the workspace.
    expectStatus(await admin.api.put(`${path}/MADE_BY_ADMIN`, { value: 'made by somebody who leaves' }), 201);
    expectStatus(await ada.api.send('DELETE', `${ada.home}/members/${admin.userId}`), 204);
    for (const answer of [
      await admin.api.get(path),
      await admin.api.put(`${path}/MADE_BY_ADMIN`, { value: 'another value' }),
      await admin.api.send('DELETE', `${path}/MADE_BY_ADMIN`),
    ]) {
      expect(answer.status).toBe(404);
    }
    const after = expectStatus(await ada.api.get(path), 200).data;
    expect(after.find(({ name }: Json) => name === 'MADE_BY_ADMIN')).toMatchObject({
      createdBy: `user:${admin.userId}`,
      revision: 1,
    });
  });

  it('are sealed anew by secrets:rotate while processes run, so that the old key can go', async () => {
    const { environment, testDb } = installation();
    const rotate = (keys: string) =>
      MillraceProcess.run('cli/secrets-rotate', [], { ...environment, ENCRYPTION_KEYS: keys });
    const keyIds = async () =>
      (
        await testDb.sql<{ id: number }>('select distinct get_byte(sealed, 0) as id from workspace_secrets')
      ).map(({ id }) => id);
    expect(await keyIds()).toEqual([2]);
    await expect(rotate(third)).rejects.toThrow(/exited with 1:[^]*7 values do not open/);
    expect(await rotate(`${third},${second}`)).toContain(
      'cell_1.workspace_secrets: 7 sealed anew, 0 do not open',
    );
    expect(await keyIds()).toEqual([3]);
    expect(await rotate(third)).toContain('cell_1.workspace_secrets: 0 sealed anew, 0 do not open');

    await Promise.all(processes.map((process) => process.stop()));
    const millrace = await start({ ENCRYPTION_KEYS: third });
    const again: Account = { ...ada, api: ada.api.at(millrace.url) };
    const params = { url: `${echo.origin}/rotated`, headers: { 'X-Key': '{{ secrets.HEADER }}' } };
    const workflow = await publish(again, {
      nodes: [
        { id: 'begin', type: 'trigger.manual' },
        { id: 'call', type: 'http.request', params },
      ],
      edges: chain('begin', 'call'),
    });
    await runInStatus(again, await startRun(again, workflow), 'succeeded');
    expect(echo.requests.at(-1)?.headers['x-key']).toBe(CANARIES['HEADER']);
  });
});

/** Which secrets a text has, whole or by their lines, and how they are spelled there. */
function found(text: string): readonly string[] {
  return Object.entries(CANARIES).flatMap(([name, value]) => {
    const lines = value.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
    return foundIn(text, [value, ...lines]).map((form) => `${name}: ${form}`);
  });
}
