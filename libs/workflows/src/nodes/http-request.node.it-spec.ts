import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { EgressClient } from '../egress/guarded-client';
import { TestWorkspaces } from '../egress/testing/test-workspaces';
import { compileTemplates, resolve } from '../expressions/template';
import { httpRequestNode } from './http-request.node';
import type { NodeOutcome } from './node-kind';
import { noMask } from './output-mask';

const client = new EgressClient({
  ...new TestWorkspaces().options,
  allowPrivateCidrs: ['127.0.0.1/32'],
  userAgent: 'Millrace/9.9.9',
});
const node = httpRequestNode(client);

let listener: RequestListener = (_request, response) => response.end();
const server = createServer((request, response) => listener(request, response));
let origin = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Runs the node on params as a workflow's author writes them. */
async function run(params: object, signal = new AbortController().signal): Promise<NodeOutcome> {
  return node.execute({
    params: node.params.parse({ url: origin, ...params }),
    trigger: null,
    runId: 'run',
    nodeId: 'call',
    iteration: '',
    attempt: 1,
    workspaceId: 'workspace',
    idempotencyKey: 'run-1:call',
    now: new Date('2026-01-01T00:00:00Z'),
    runStartedAt: '2026-01-01T00:00:00.000Z',
    signal,
    mask: noMask,
  });
}

interface Seen {
  readonly request: IncomingMessage;
  readonly body: string;
}

/** Lets the server answer 200 and gives what it was sent by a run. */
async function sentBy(params: object): Promise<Seen> {
  const seen: Seen[] = [];
  listener = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    seen.push({ request, body: Buffer.concat(chunks).toString() });
    response.end();
  };
  expect(await run(params)).toMatchObject({ kind: 'done' });
  const [first] = seen;
  if (first === undefined) throw new Error('The server was not called.');
  return first;
}

function answers(
  status: number,
  headers: Record<string, string | string[]>,
  body: string | Buffer = '',
): void {
  listener = (_request, response) => response.writeHead(status, headers).end(body);
}

describe('what is sent', () => {
  it('is a plain GET that names this product, unless told otherwise', async () => {
    const { request, body } = await sentBy({});
    expect([request.method, request.url, body]).toEqual(['GET', '/', '']);
    expect(request.headers).toMatchObject({ 'user-agent': 'Millrace/9.9.9', accept: '*/*' });
    expect(request.headers).not.toHaveProperty('idempotency-key');
    expect((await sentBy({ headers: { 'user-agent': 'mine' } })).request.headers['user-agent']).toBe('mine');
  });

  it('appends to the query without rewriting what is there', async () => {
    const query = { b: 'x y&z', n: 1, t: true };
    expect((await sentBy({ url: `${origin}/p?a=%20+~#f`, query })).request.url).toBe(
      '/p?a=%20+~&b=x+y%26z&n=1&t=true',
    );
    expect((await sentBy({ query: { a: '' } })).request.url).toBe('/?a=');
  });

  it.each([
    [{ json: { a: [1, null, 'é'] } }, 'application/json', '{"a":[1,null,"é"]}'],
    [{ json: null }, 'application/json', 'null'],
    [{ text: 'hé' }, 'text/plain; charset=utf-8', 'hé'],
    [{ text: '<a/>', contentType: 'text/xml' }, 'text/xml', '<a/>'],
    [{ form: { a: 'x y', n: 2 } }, 'application/x-www-form-urlencoded', 'a=x+y&n=2'],
  ])('carries the body %j', async (body, contentType, text) => {
    const sent = await sentBy({ method: 'POST', body });
    expect([sent.request.headers['content-type'], sent.body]).toEqual([contentType, text]);
  });

  it('prefers the content type of the headers', async () => {
    const sent = await sentBy({
      method: 'PUT',
      body: { json: 1 },
      headers: { 'content-type': 'application/x' },
    });
    expect(sent.request.headers['content-type']).toBe('application/x');
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'carries the idempotency key on %s, unless the user set one',
    async (method) => {
      expect((await sentBy({ method })).request.headers['idempotency-key']).toBe('run-1:call');
      const own = await sentBy({ method, headers: { 'IDEMPOTENCY-KEY': 'own' } });
      expect(own.request.headers['idempotency-key']).toBe('own');
    },
  );
});

describe('a misspelt name in a template', () => {
  const scope = {
    trigger: { body: { path: 'orders', token: 'secret' } },
    nodes: {},
    run: { id: 'run', workflowId: 'w', workspaceId: 'x', version: 1, startedAt: '2026-01-01T00:00:00.000Z' },
  };

  /** What a run would do: compute the params, then call. */
  async function runTemplates(params: { readonly [key: string]: string | object }): Promise<NodeOutcome> {
    return run((await resolve(compileTemplates(params as never), scope)) as object);
  }

  it.each([
    { url: `/{{ trigger.body.pth }}` },
    { url: `/x`, headers: { Authorization: 'Bearer {{ trigger.body.tokn }}' } },
    { url: `/x`, query: { a: '{{ nodes.none.output }}' } },
    { url: `/x`, method: 'POST', body: { json: { id: '{{ trigger.body.id }}' } } },
  ])('is a failure and never an empty text: %j', async ({ url, ...rest }) => {
    let calls = 0;
    listener = (_request, response) => {
      calls += 1;
      response.end();
    };
    // The control: with a name that is there the same way of running calls the server.
    await runTemplates({ url: `${origin}/{{ trigger.body.path }}` });
    expect(calls).toBe(1);
    await expect(runTemplates({ url: origin + url, ...rest })).rejects.toMatchObject({
      code: 'expression_undefined',
    });
    expect(calls).toBe(1);
  });
});

describe('what comes back', () => {
  it('is status, headers, body and how the body was read', async () => {
    const headers = { 'Content-Type': 'application/json', 'X-A': ['1', '2'], 'Set-Cookie': ['a=1', 'b=2'] };
    answers(201, headers, '{"id":7}');
    const outcome = await run({});
    expect(outcome).toMatchObject({
      kind: 'done',
      output: {
        status: 201,
        headers: { 'content-type': 'application/json', 'x-a': '1, 2', 'set-cookie': ['a=1', 'b=2'] },
        body: { id: 7 },
        bodyKind: 'json',
      },
    });
  });

  it.each([
    ['application/json', '{broken', { bodyKind: 'text', body: '{broken' }],
    ['application/json', '', { bodyKind: 'empty', body: null }],
    ['text/plain; charset=latin1', Buffer.from([0xe9]), { bodyKind: 'text', body: 'é' }],
    ['text/plain', 'a\0b', { bodyKind: 'text', body: 'a\uFFFDb' }],
    ['image/png', Buffer.from([1, 2]), { bodyKind: 'base64', body: 'AQI=' }],
  ])('reads %s %j as %j', async (type, bytes, output) => {
    answers(200, { 'content-type': type }, bytes);
    expect(await run({})).toMatchObject({ kind: 'done', output });
  });

  it('is decompressed', async () => {
    answers(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip' }, gzipSync('zipped'));
    expect(await run({})).toMatchObject({ output: { body: 'zipped' } });
  });

  it('is empty for HEAD and 204', async () => {
    answers(200, { 'content-length': '10', 'content-encoding': 'gzip' });
    expect(await run({ method: 'HEAD' })).toMatchObject({ output: { status: 200, bodyKind: 'empty' } });
    answers(204, {});
    expect(await run({})).toMatchObject({ output: { status: 204, bodyKind: 'empty', body: null } });
  });
});

describe('failures', () => {
  it.each([400, 404, 429, 500, 503])('fails on %i, with what the server said', async (status) => {
    answers(status, { 'content-type': 'application/json' }, '{"error":"why"}');
    expect(await run({ url: `${origin}/x?token=secret` })).toEqual({
      kind: 'failed',
      retryable: status >= 429,
      error: {
        code: 'node.http_status',
        message: expect.stringContaining(`answered ${status}, expected 2xx`),
        details: { status, body: '{"error":"why"}', bodyKind: 'json', truncated: false },
      },
    });
  });

  it('never repeats the query, where secrets live', async () => {
    answers(500, {});
    expect(JSON.stringify(await run({ url: `${origin}/x?token=canary` }))).not.toContain('canary');
    expect(JSON.stringify(await run({ url: 'http://10.0.0.1/x?token=canary' }))).not.toContain('canary');
  });

  it('cuts a long answer', async () => {
    answers(500, { 'content-type': 'text/plain' }, '😀'.repeat(1_500));
    const outcome = await run({});
    expect(outcome).toMatchObject({ error: { details: { truncated: true, body: '😀'.repeat(1_000) } } });
  });

  it('takes the statuses it was told to take, and only those', async () => {
    const kinds = async (status: number, successStatuses: (string | number)[]) => {
      answers(status, {});
      return (await run({ successStatuses, followRedirects: false })).kind;
    };
    expect(await kinds(404, ['2xx', 404])).toBe('done');
    expect(await kinds(403, ['2xx', 404])).toBe('failed');
    expect(await kinds(302, ['3xx'])).toBe('done');
    expect(await kinds(200, [201])).toBe('failed');
  });

  it('tells what the guard refused and why', async () => {
    expect(await run({ url: 'http://169.254.169.254/latest?x=1' })).toMatchObject({
      kind: 'failed',
      error: {
        code: 'egress.blocked',
        message: expect.stringContaining('operator'),
        details: { rule: 'address.metadata', url: 'http://169.254.169.254/latest' },
      },
    });
  });

  it('names what the network did', async () => {
    const codeOf = async (params: object, signal?: AbortSignal) => {
      const outcome = await run(params, signal);
      return outcome.kind === 'failed' ? outcome.error.code : outcome.kind;
    };
    listener = () => undefined;
    expect(await codeOf({ timeoutSeconds: 0.05 })).toBe('egress.timeout');
    expect(await codeOf({}, AbortSignal.abort())).toBe('egress.aborted');
    expect(await codeOf({ url: 'http://[' })).toBe('egress.invalid_request');
    expect(await codeOf({ headers: { Host: 'x' } })).toBe('egress.invalid_request');
    answers(200, {}, 'x'.repeat(11));
    expect(await codeOf({ maxResponseBytes: 10 })).toBe('egress.too_large');
    answers(302, { location: '/' });
    expect(await codeOf({})).toBe('egress.redirect_loop');
  });
});

describe('what a failure says about trying again', () => {
  const adviceOf = async (params: object = {}) => {
    const { error: _, ...advice } = { error: null, ...(await run(params)) };
    return advice;
  };

  it.each([
    [400, false],
    [401, false],
    [404, false],
    [408, true],
    [409, false],
    [422, false],
    [425, true],
    [429, true],
    [499, false],
    [500, true],
    [503, true],
    [599, true],
  ])('status %i may be tried again: %s', async (status, retryable) => {
    answers(status, {});
    expect(await adviceOf()).toEqual({ kind: 'failed', retryable });
  });

  it('is nothing where an unexpected answer is no failure of the server or the request', async () => {
    answers(200, {});
    expect(await adviceOf({ successStatuses: [201] })).toEqual({ kind: 'failed' });
    answers(304, {});
    expect(await adviceOf()).toEqual({ kind: 'failed' });
  });

  it('repeats what the server asks for, in seconds and as a date by its own clock', async () => {
    answers(429, { 'retry-after': '17' });
    expect(await adviceOf()).toEqual({ kind: 'failed', retryable: true, retryAfterSeconds: 17 });
    const date = 'Sun, 01 Mar 2026 08:00:00 GMT';
    answers(503, { date, 'retry-after': 'Sun, 01 Mar 2026 08:00:30 GMT' });
    expect(await adviceOf()).toMatchObject({ retryAfterSeconds: 30 });
    answers(503, { 'retry-after': 'in a while' });
    expect(await adviceOf()).toEqual({ kind: 'failed', retryable: true });
    answers(404, { 'retry-after': '17' });
    expect(await adviceOf()).toEqual({ kind: 'failed', retryable: false });
  });

  it('tells what the network did from what the author wrote', async () => {
    answers(200, {});
    expect(await adviceOf({ url: 'http://169.254.169.254/' })).toMatchObject({ retryable: false });
    expect(await adviceOf({ url: 'http://[' })).toMatchObject({ retryable: false });
    expect(await adviceOf({ url: 'http://no-such-host.invalid/' })).toMatchObject({ retryable: true });
    expect(await adviceOf({ url: `http://127.0.0.1:${await aClosedPort()}/` })).toMatchObject({
      retryable: true,
    });
    listener = (request) => request.socket.destroy();
    expect(await adviceOf()).toMatchObject({ retryable: true });
    listener = () => undefined;
    expect(await adviceOf({ timeoutSeconds: 0.05 })).toMatchObject({ retryable: true });
  });
});

/** A port that was free a moment ago, and where nobody listens. */
async function aClosedPort(): Promise<number> {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  await new Promise((resolve) => other.close(resolve));
  return port;
}

describe('params', () => {
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);

  it.each([
    {},
    { url: '' },
    { url: 'http://a/', extra: 1 },
    { url: 'http://a/', method: 'TRACE' },
    { url: 'http://a/', method: 'get' },
    { url: 'http://a/', body: { json: 1 } },
    { url: 'http://a/', method: 'POST', body: {} },
    { url: 'http://a/', method: 'POST', body: { json: 1, text: 'x' } },
    { url: 'http://a/', method: 'POST', body: { json: nested(101) } },
    { url: 'http://a/', timeoutSeconds: 0 },
    { url: 'http://a/', timeoutSeconds: 301 },
    { url: 'http://a/', maxResponseBytes: 5 * 1024 * 1024 + 1 },
    { url: 'http://a/', successStatuses: [] },
    { url: 'http://a/', successStatuses: ['6xx'] },
    { url: 'http://a/', headers: { a: 1 } },
  ])('refuses %#', (params) => {
    expect(node.params.safeParse(params).success).toBe(false);
  });

  it('takes the limits themselves', () => {
    const limits = {
      method: 'POST',
      body: { json: nested(100) },
      timeoutSeconds: 300,
      maxResponseBytes: 5 * 1024 * 1024,
    };
    expect(node.params.safeParse({ url: 'http://a/', ...limits }).success).toBe(true);
  });

  it('can be published as a JSON Schema', () => {
    expect(z.toJSONSchema(node.params, { io: 'input' })).toMatchObject({
      type: 'object',
      required: ['url'],
      additionalProperties: false,
    });
  });
});
