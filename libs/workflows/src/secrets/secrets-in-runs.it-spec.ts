import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { EchoServer, foundIn, PinnedClock, useTestDb } from '#platform/testing';
import type { JsonObject, JsonValue } from '../definition/json';
import { EgressClient } from '../egress/guarded-client';
import { TestWorkspaces } from '../egress/testing/test-workspaces';
import { httpRequestNode } from '../nodes/http-request.node';
import type { NodeKind } from '../nodes/node-kind';
import {
  aPublishedWorkflow,
  chain,
  heldLeases,
  startTestEngine,
  type TestEngine,
  testRing,
  TestRuns,
} from '../testing';
import { HeldSecrets } from './run-secrets';
import { sealContext } from './secret.sql';
import { SecretValues } from './secret-values.service';

/** Texts with all that encodings change, and with more than one line. */
const TOKEN = 'tok/en+"with<odd>&chars%41=\\n-and-umlauts-äöü';
const PASSWORD = 'p@ss:w0rd "quoted" \\ back%20slash';
const KEY = [
  '-----BEGIN KEY-----',
  'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC',
  'BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj',
  '-----END KEY-----',
].join('\n');
const HEADER = 'hdr-7f3b2c9d8e1a4f60-b5a9';

describe('secrets in runs', () => {
  const testDb = useTestDb({ leases: heldLeases });
  const client = new EgressClient({ ...new TestWorkspaces().options, allowPrivateCidrs: ['127.0.0.1/32'] });
  let worker: TestEngine;
  let echo: EchoServer;
  const runs = new TestRuns(testDb, () => worker);

  /** Does with a value what no kind of ours does: gives it back in whatever a node can give, or throws it. */
  const leaky: NodeKind<{
    readonly how: string;
    readonly value: string;
    readonly workflowId?: string | undefined;
  }> = {
    type: 'test.leaky',
    title: 'Leaky',
    description: 'Tells what it was given.',
    role: 'action',
    purity: 'effect',
    params: z.strictObject({ how: z.string(), value: z.string(), workflowId: z.string().optional() }),
    secrets: ['value'],
    ports: () => ['out'],
    execute: ({ params: { how, value, workflowId = '' } }) => {
      if (how === 'throws') throw new Error(`Bad value: ${value}`, { cause: { value } });
      if (how === 'fails') {
        return {
          kind: 'failed',
          error: { code: 'test.leak', message: value, details: { [value]: [value] } },
        };
      }
      if (how === 'calls') return { kind: 'call', workflowId, input: { value }, wait: true };
      return { kind: 'wait', on: 'time', resumeAt: new Date('2026-01-01T00:00:00Z'), data: { value } };
    },
    resume: ({ data, params }) => ({ kind: 'done', output: { data, value: params.value } }),
  };

  beforeAll(async () => {
    echo = await EchoServer.start();
    worker = await startTestEngine(testDb().db, testDb().url, {
      kinds: () => [httpRequestNode(client), leaky],
    });
    testDb().beforeClose(async () => {
      await worker.drain();
      await client.close();
      await echo.close();
    });
  });

  /** A workspace with these secrets. */
  async function aWorkspaceWith(secrets: Readonly<Record<string, string>>): Promise<string> {
    const workspaceId = randomUUID();
    await runs.sql('insert into tenants (workspace_id) values ($1)', [workspaceId]);
    for (const [name, value] of Object.entries(secrets)) await set(workspaceId, name, value);
    return workspaceId;
  }

  async function set(workspaceId: string, name: string, value: string): Promise<void> {
    const id = randomUUID();
    await runs.sql('delete from workspace_secrets where workspace_id = $1 and name = $2', [
      workspaceId,
      name,
    ]);
    await runs.sql(
      `insert into workspace_secrets (id, workspace_id, name, sealed, created_by, updated_by)
       values ($1, $2, $3, $4, 'user:test', 'user:test')`,
      [id, workspaceId, name, testRing(worker.services).seal(value, sealContext(workspaceId, id))],
    );
  }

  const secrets = { TOKEN, PASSWORD, KEY, HEADER };

  const sending = (path: string, more: JsonObject = {}): JsonObject => ({
    method: 'POST',
    url: `${echo.origin}${path}`,
    query: { q: '{{ secrets.TOKEN }}' },
    headers: { 'X-Key': '{{ "Key " & secrets.HEADER }}' },
    auth: { basic: { username: 'ada', password: '{{ secrets.PASSWORD }}' } },
    body: { json: '{{ {"key": secrets.KEY, "list": [secrets.TOKEN], "event": trigger} }}' },
    ...more,
  });

  const calling = (params: JsonObject, more: JsonObject = {}): JsonObject => ({
    nodes: [
      { id: 'start', type: 'trigger.manual' },
      { id: 'call', type: 'http.request', params, ...more },
      { id: 'after', type: 'set', params: { values: { all: '{{ nodes.call }}' } } },
    ],
    edges: chain('start', 'call', 'after'),
  });

  /** Everything there is in the database, and in the log of the worker. */
  async function everythingKept(): Promise<string> {
    const tables = await testDb().sql<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
        where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    const dump: string[] = [JSON.stringify(worker.services.logger.lines)];
    for (const { name } of tables) {
      const rows = await testDb().sql<{ row: string }>(`select t::text as row from ${name} t`);
      dump.push(...rows.map(({ row }) => row));
    }
    return dump.join('\n');
  }

  const found = (text: string) => foundIn(text, Object.values(secrets));

  // Seen to fail with `masked` of HeldSecrets giving back what it was given: every form of every secret was found.
  it('reach the server as they are, and are kept nowhere, however it says them again', async () => {
    const workspaceId = await aWorkspaceWith(secrets);
    const { runId } = await runs.start(calling(sending('/all')), { n: 1 }, workspaceId);
    const run = await runs.ended(runId);
    expect(run).toMatchObject({ outcome: 'succeeded', error: null });
    const [sent] = echo.requests.filter(({ url }) => url.startsWith('/all'));
    expect(new URL(sent?.url ?? '', 'http://x').searchParams.get('q')).toBe(TOKEN);
    expect(sent?.headers['x-key']).toBe(`Key ${HEADER}`);
    expect(sent?.headers.authorization).toBe(`Basic ${Buffer.from(`ada:${PASSWORD}`).toString('base64')}`);
    expect(JSON.parse(sent?.body ?? '')).toEqual({ key: KEY, list: [TOKEN], event: { n: 1 } });
    const text = JSON.stringify(run.output);
    for (const name of Object.keys(secrets)) expect(text).toContain(`***${name}***`);
    expect(found(await everythingKept())).toEqual([]);
  });

  // Seen to fail with /fail when `http.request` leaves all masking to the engine: the body was cut through the token.
  it.each(['/fail', '/redirect', '/bytes'])('are masked in an answer of %s', async (path) => {
    const workspaceId = await aWorkspaceWith(secrets);
    const caught = { retry: { attempts: 2, delaySeconds: 0 }, onError: 'continue' };
    const { runId } = await runs.start(calling(sending(path), caught), {}, workspaceId);
    const { output } = await runs.ended(runId);
    // Of the mask, too, a cut may leave a part; in bytes it is written in base64.
    expect(JSON.stringify(output)).toMatch(/\*\*\*|Kioq/);
    expect(found(await everythingKept())).toEqual([]);
  });

  // Texts from outside must not be taken for references. Seen to fail with a stand-in that can be guessed, all zeros.
  it('are given to nobody who writes their references, or what might stand for them', async () => {
    const workspaceId = await aWorkspaceWith(secrets);
    const posted = {
      texts: [
        '{{ secrets.TOKEN }}',
        '{{secrets.TOKEN}}',
        'secrets.TOKEN',
        '***TOKEN***',
        ...['TOKEN', 'HEADER'].map((name) => `<secret "${'0'.repeat(32)}" ${name}>`),
      ],
      secrets: { TOKEN: 'mine' },
    };
    const { runId } = await runs.start(
      calling({
        method: 'POST',
        url: `${echo.origin}/posted`,
        headers: { 'X-Real': '{{ secrets.HEADER }}' },
        body: { json: '{{ trigger }}' },
      }),
      posted,
      workspaceId,
    );
    await runs.ended(runId);
    const [sent] = echo.requests.filter(({ url }) => url === '/posted');
    expect(JSON.parse(sent?.body ?? '')).toEqual(posted);
    expect(sent?.headers['x-real']).toBe(HEADER);
  });

  // Seen to fail when every expression of the node is given them: the scope as a text held a stand-in, and was refused.
  it('are in no scope but that of expressions that name them', async () => {
    const workspaceId = await aWorkspaceWith(secrets);
    const { runId } = await runs.start(
      calling({
        method: 'POST',
        url: `${echo.origin}/scope`,
        headers: { 'X-Real': '{{ secrets.HEADER }}' },
        body: { json: '{{ [$keys($), $exists($lookup($, "sec" & "rets")), $string($)] }}' },
      }),
      {},
      workspaceId,
    );
    expect(await runs.ended(runId)).toMatchObject({ outcome: 'succeeded' });
    const body = echo.requests.find(({ url }) => url === '/scope')?.body ?? '';
    expect(JSON.parse(body)).toMatchObject([
      'trigger',
      'nodes',
      'run',
      false,
      expect.stringContaining('"run":'),
    ]);
    expect(body).not.toMatch(/secrets|<secret/);
    expect(found(body)).toEqual([]);
  });

  it('are masked in whatever a node can give, and in the log of one that breaks', async () => {
    const workspaceId = await aWorkspaceWith(secrets);
    const called = await aPublishedWorkflow(
      testDb(),
      { nodes: [{ id: 'start', type: 'trigger.manual' }], edges: [] },
      { workspaceId },
    );
    const leaking = async (how: string) => {
      const { runId } = await runs.start(
        {
          nodes: [
            { id: 'start', type: 'trigger.manual' },
            {
              id: 'leak',
              type: 'test.leaky',
              params: { how, value: '{{ secrets.TOKEN }}', workflowId: called.workflowId },
            },
          ],
          edges: chain('start', 'leak'),
        },
        {},
        workspaceId,
      );
      return runs.ended(runId);
    };
    const masked = '***TOKEN***';
    expect((await leaking('fails')).error).toMatchObject({
      message: masked,
      details: { [masked]: [masked] },
    });
    expect((await leaking('throws')).error).toMatchObject({ code: 'node.crashed' });
    expect((await leaking('waits')).output).toEqual({ leak: { data: { value: masked }, value: masked } });
    expect((await leaking('calls')).output).toMatchObject({ leak: { output: { start: { value: masked } } } });
    expect(JSON.stringify(worker.services.logger.lines)).toContain(`Bad value: ${masked}`);
    expect(found(await everythingKept())).toEqual([]);
  });

  it.each([
    ['$uppercase', '{{ $uppercase(secrets.TOKEN) }}'],
    ['base64', '{{ $base64encode("a:" & secrets.TOKEN) }}'],
    ['a part', '{{ $substring(secrets.TOKEN, 0, 30) }}'],
    ['an object as text', 'x {{ {"a": secrets.TOKEN} }}'],
    ['a query', '{{ $encodeUrlComponent(secrets.TOKEN) }}'],
    ['its length', '{{ $length(secrets.TOKEN) & "" }}'],
    ['whether it is', '{{ secrets.TOKEN = trigger.guess ? "yes" : "no" }}'],
    ['all of them', '{{ $string(secrets) }}'],
  ])('are not sent when an expression has changed what stands for them: %s', async (_, text) => {
    const workspaceId = await aWorkspaceWith(secrets);
    const path = `/changed-${randomUUID()}`;
    const { runId } = await runs.start(
      calling({ method: 'POST', url: echo.origin + path, body: { text } }),
      {},
      workspaceId,
    );
    expect(await runs.ended(runId)).toMatchObject({
      outcome: 'failed',
      error: { code: 'node.secret_changed' },
    });
    expect(echo.sentTo(path)).toBe('[]');
  });

  it('fail the node that names one which is missing or does not open, and nothing is sent', async () => {
    const workspaceId = await aWorkspaceWith({ HEADER });
    await runs.sql(
      `insert into workspace_secrets (id, workspace_id, name, sealed, created_by, updated_by)
       select gen_random_uuid(), workspace_id, 'MOVED', sealed, 'x', 'x' from workspace_secrets where workspace_id = $1`,
      [workspaceId],
    );
    for (const name of ['NOTHING', 'MOVED']) {
      const params = { url: `${echo.origin}/missing`, headers: { a: `{{ secrets.${name} }}` } };
      const { runId } = await runs.start(
        calling(params, { retry: { attempts: 3, delaySeconds: 0 } }),
        {},
        workspaceId,
      );
      const { error } = await runs.ended(runId);
      expect(error).toMatchObject({ code: 'node.secret_missing', message: expect.stringContaining(name) });
      const [node] = await runs.sql(
        'select attempts from workflow_node_runs where run_id = $1 and node_id = $2',
        [runId, 'call'],
      );
      expect(node).toEqual({ attempts: 1 });
    }
    expect(echo.sentTo('/missing')).toBe('[]');
  });

  it('of one workspace are not those of another', async () => {
    await aWorkspaceWith({ HEADER });
    const other = await aWorkspaceWith({});
    const params = { url: `${echo.origin}/other`, headers: { a: '{{ secrets.HEADER }}' } };
    const { runId } = await runs.start(calling(params), {}, other);
    expect((await runs.ended(runId)).error).toMatchObject({ code: 'node.secret_missing' });
  });

  it('stand as references in what is kept of an attempt that may not be repeated', async () => {
    const workspaceId = await aWorkspaceWith(secrets);
    const kept: unknown[] = [];
    echo.beforeAnswer = async () => {
      kept.push(
        ...(await runs.sql(
          `select state->'request' as request from workflow_node_runs where status = 'running'`,
        )),
      );
    };
    const { runId } = await runs.start(calling(sending('/unsafe'), { repeat: 'unsafe' }), {}, workspaceId);
    await runs.ended(runId);
    echo.beforeAnswer = () => Promise.resolve();
    expect(kept).toEqual([
      {
        request: expect.objectContaining({
          query: { q: '{{secrets.TOKEN}}' },
          headers: { 'X-Key': 'Key {{secrets.HEADER}}' },
          auth: { basic: { username: 'ada', password: '{{secrets.PASSWORD}}' } },
          body: { json: { key: '{{secrets.KEY}}', list: ['{{secrets.TOKEN}}'], event: {} } },
        }),
      },
    ]);
    expect(found(await everythingKept())).toEqual([]);
  });

  it('are masked in what others send, before the run has used any', async () => {
    const workspaceId = await aWorkspaceWith(secrets);
    const { runId } = await runs.start(
      {
        nodes: [
          { id: 'start', type: 'trigger.manual' },
          { id: 'hear', type: 'wait.callback', params: {} },
          {
            id: 'call',
            type: 'http.request',
            params: { url: `${echo.origin}/late`, headers: { 'x-a': '{{ secrets.HEADER }}' } },
          },
          { id: 'heard', type: 'set', params: { values: { what: '{{ nodes.hear }}' } } },
        ],
        edges: chain('start', 'hear', 'call', 'heard'),
      },
      {},
      workspaceId,
    );
    await runs.inState(runId, 'parked');
    const message = { echoed: [HEADER, Buffer.from(HEADER).toString('base64')] };
    await worker.door.signal(workspaceId, { runId, nodeId: 'hear', iteration: '', message });
    expect((await runs.ended(runId)).output).toEqual({
      heard: { what: { echoed: ['***HEADER***', Buffer.from('***HEADER***').toString('base64')] } },
    });
    expect(found(await everythingKept())).toEqual([]);
  });

  it('end a node whose output is too deep to be masked, and not the run with a fault of ours', async () => {
    const workspaceId = await aWorkspaceWith({ HEADER });
    const { clock, logger, random } = worker.services;
    const values = new SecretValues(testDb().db, testRing(worker.services), clock, logger);
    const held = new HeldSecrets({ cellId: 'cell_1', workspaceId, names: ['HEADER'], values, random }, []);
    await held.current(['HEADER']);
    let output: JsonValue = HEADER;
    for (let i = 0; i < 100_000; i += 1) output = [output];
    expect(held.masked({ kind: 'done', output })).toMatchObject({
      kind: 'failed',
      error: { code: 'node.output_not_json' },
    });
  });

  it('that get another value are used with it after five seconds, and both values are masked', async () => {
    const workspaceId = await aWorkspaceWith({ HEADER: 'the-value-of-before', OTHER: 'another-one' });
    const clock = new PinnedClock('2026-01-01T00:00:00Z');
    const values = new SecretValues(testDb().db, testRing(worker.services), clock, worker.services.logger);
    const { random } = worker.services;
    const held = new HeldSecrets(
      { cellId: 'cell_1', workspaceId, names: ['HEADER', 'OTHER'], values, random },
      [],
    );
    expect(await held.current(['HEADER'])).toEqual(new Map([['HEADER', 'the-value-of-before']]));
    await set(workspaceId, 'HEADER', 'the-value-of-behind');
    clock.advance(4_999);
    expect(await held.current(['HEADER'])).toEqual(new Map([['HEADER', 'the-value-of-before']]));
    clock.advance(2);
    expect(await held.current(['HEADER'])).toEqual(new Map([['HEADER', 'the-value-of-behind']]));
    expect(held.mask.text('the-value-of-before, the-value-of-behind, another-one')).toBe(
      '***HEADER***, ***HEADER***, ***OTHER***',
    );
    await runs.sql('delete from workspace_secrets where workspace_id = $1', [workspaceId]);
    clock.advance(5_001);
    expect(await held.current(['HEADER', 'OTHER'])).toEqual(new Map());
    expect(held.mask.text('the-value-of-behind')).toBe('***HEADER***');
  });
});
