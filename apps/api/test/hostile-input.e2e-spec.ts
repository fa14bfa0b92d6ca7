import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import * as fc from 'fast-check';
import { type Account, signUp } from './support/account';
import type { Answer, ApiClient } from './support/api-client';
import { useInstallation } from './support/installation';
import { type Operation, operationsOf, pathOf } from './support/operations';
import { publish, type Published, runInStatus, startRun } from './support/workflows';

jest.setTimeout(60_000);

const BODY_LIMIT_BYTES = 65_536;
const NUL = '\\u0000';
const LONE_SURROGATE = '\\ud800';

/** Bodies that no route may take. `json` is wrapped in nothing: it is the body. */
const HOSTILE: readonly { readonly name: string; readonly body: string | Buffer; readonly type?: string }[] =
  [
    { name: 'ten thousand nested arrays', body: '['.repeat(10_000) + ']'.repeat(10_000) },
    {
      name: 'ten thousand nested arrays in a member',
      body: `{"name":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
    },
    { name: 'arrays that never end', body: '['.repeat(30_000) },
    { name: 'a NUL in a text', body: `{"name":"a${NUL}b"}` },
    { name: 'a NUL in a key', body: `{"a${NUL}b":1}` },
    { name: 'a NUL as it is', body: Buffer.from('{"name":"a\0b"}') },
    { name: 'a lone surrogate', body: `{"name":"${LONE_SURROGATE}"}` },
    { name: 'a __proto__ key', body: '{"__proto__":{"isAdmin":true}}' },
    { name: 'a deep __proto__ key', body: '{"input":{"a":[{"__proto__":null}]}}' },
    { name: 'constructor.prototype', body: '{"constructor":{"prototype":{"isAdmin":true}}}' },
    { name: 'a number beyond all numbers', body: '{"name":1e400}' },
    { name: 'another one', body: `{"input":-${'9'.repeat(400)}}` },
    { name: 'invalid UTF-8', body: Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]) },
    { name: 'UTF-16', body: Buffer.from('\ufeff{"name":"x"}', 'utf16le') },
    { name: 'half a body', body: '{"name":' },
    { name: 'two bodies', body: '{}{}' },
    { name: 'no JSON', body: 'name=x' },
    { name: 'null', body: 'null' },
    { name: 'an array', body: '[]' },
    { name: 'a text', body: '"x"' },
    { name: 'a number', body: '42' },
    { name: 'true', body: 'true' },
    { name: 'a member nobody knows', body: '{"nobodyKnowsThis":1}' },
    {
      name: 'the same in thousands',
      body: `{${Array.from({ length: 4_000 }, (_, i) => `"k${i}":${i}`).join()}}`,
    },
    { name: 'more than the limit', body: `{"name":"${'x'.repeat(BODY_LIMIT_BYTES)}"}` },
    { name: 'plain text', body: '{}', type: 'text/plain' },
    { name: 'a form', body: 'name=x', type: 'application/x-www-form-urlencoded' },
    { name: 'a file', body: '{}', type: 'multipart/form-data; boundary=x' },
    { name: 'another type of JSON', body: '{}', type: 'application/json-patch+json' },
    { name: 'another character set', body: '{}', type: 'application/json; charset=utf-16' },
    { name: 'a broken type', body: '{}', type: ';;;' },
  ];

describe('hostile input', () => {
  const installation = useInstallation({ BODY_LIMIT_BYTES: String(BODY_LIMIT_BYTES) });
  let server: ApiClient;
  let operations: readonly Operation[];
  let ada: Account;
  let hook: Published;
  let ids: Readonly<Record<string, string>>;

  beforeAll(async () => {
    ({ server } = await installation().start());
    operations = await operationsOf(server);
    ada = await signUp(server);
    const manual = await publish(ada, { nodes: [{ id: 'begin', type: 'trigger.manual' }], edges: [] });
    hook = await publish(ada, {
      nodes: [
        { id: 'begin', type: 'trigger.webhook' },
        {
          id: 'seen',
          type: 'set',
          params: { values: { kind: '{{ trigger.bodyKind }}', body: '{{ trigger.body }}' } },
        },
      ],
      edges: [{ from: 'begin', to: 'seen' }],
    });
    const runId = await startRun(ada, manual);
    ids = {
      workspaceId: ada.workspaceId,
      workflowId: manual.workflowId,
      runId,
      apiKeyId: runId,
      number: '1',
      token: hook.hookPath?.split('/').at(-1) ?? '',
    };
  });

  /** What stands in an operation's path: what there is here, and else the name or the id of nothing. */
  const idsOf = ({ pathParameters, idParameters, words }: Operation) => ({
    ...Object.fromEntries(pathParameters.map((name) => [name, 'NOTHING'])),
    ...Object.fromEntries(idParameters.map((name) => [name, randomUUID()])),
    ...words,
    ...ids,
  });

  /** Limits are no answer to what these tests ask. */
  const unlimited = () => installation().testDb.sql('delete from rate_limits');

  /** Null when an answer is how a refusal has to be; else what is wrong with it. */
  function complaint({ status, headers, body, text }: Answer): string | null {
    const isProblem = headers.get('content-type')?.startsWith('application/problem+json') ?? false;
    const isTold =
      isProblem && body.status === status && /^[a-z_]+\.[a-z_]+$/.test(body.code) && body.detail !== '';
    return status >= 400 && status < 500 && isTold ? null : `${status} ${text.slice(0, 300)}`;
  }

  it.each(HOSTILE)(
    'as a body is refused by every route: $name',
    async ({ body, type = 'application/json' }) => {
      const taking = operations.filter(({ sampleBody }) => sampleBody !== null);
      expect(taking.length).toBeGreaterThan(5);
      const wrong: string[] = [];
      for (const operation of taking) {
        await unlimited();
        const answer = await ada.api.send(operation.method, pathOf(operation, idsOf(operation)), {
          headers: { ...operation.requiredHeaders, 'content-type': type },
          body,
        });
        const said = complaint(answer);
        if (said !== null) wrong.push(`${operation.id}: ${said}`);
      }
      expect(wrong).toEqual([]);
    },
  );

  it('in each member of each body gives no fault of ours', async () => {
    const values = [
      '1e308',
      '-0',
      '9007199254740993',
      '""',
      '[]',
      '{}',
      'null',
      '"\\ud83d\\ude00"',
      '"\\u202e%s${x}"',
    ];
    const wrong: string[] = [];
    for (const operation of operations.filter(({ sampleBody }) => sampleBody !== null)) {
      for (const body of bodiesWith(values, operation.sampleBody as Record<string, unknown>)) {
        await unlimited();
        const answer = await ada.api.send(operation.method, pathOf(operation, idsOf(operation)), {
          headers: { ...operation.requiredHeaders, 'content-type': 'application/json' },
          body,
        });
        const said = answer.status < 300 ? null : complaint(answer);
        if (said !== null) wrong.push(`${operation.id} ${body}: ${said}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  /** The sample with each of its members, and each of some others, replaced by each value. Texts, not JSON's objects. */
  function bodiesWith(values: readonly string[], sample: Record<string, unknown>): readonly string[] {
    return Object.keys({ ...sample, name: 1, input: 1, trigger: 1 }).flatMap((member) => {
      const others = Object.entries(sample).filter(([name]) => name !== member);
      const kept = others.map(([name, own]) => `"${name}":${JSON.stringify(own)}`);
      return values.map((value) => `{${[...kept, `"${member}":${value}`].join()}}`);
    });
  }

  it('in paths and queries gives no fault of ours, whatever it is', async () => {
    const addressed = operations.filter(
      ({ pathParameters, queryParameters }) => pathParameters.length + queryParameters.length > 0,
    );
    const odd = fc.constantFrom(
      '%00',
      '%ff',
      '%C3%28',
      '%ED%A0%80',
      '%zz',
      '..%2f..%2fetc',
      '%2e%2e',
      '%0d%0aX-Evil:1',
      "'%20or%201=1--",
      '00000000-0000-0000-0000-000000000000',
      'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
      '-1',
      '1e9',
      '0x10',
      'NaN',
      'null',
      '__proto__',
      'constructor',
      '9'.repeat(40),
      'x'.repeat(300),
      '',
      '%F0%9F%8D%8E',
    );
    const text = fc.oneof(
      odd,
      fc.uuid(),
      fc.integer().map(String),
      fc.string({ unit: 'binary' }).map(percentEncoded),
    );
    const extra = fc.dictionary(
      fc.constantFrom('limit', 'cursor', 'after', 'state', 'workflowId', 'x[y]', '__proto__'),
      text,
      {
        maxKeys: 3,
      },
    );
    const property = fc.asyncProperty(
      fc.constantFrom(...addressed),
      fc.record({ some: text, other: text, keep: fc.boolean() }),
      extra,
      async (operation, { some, other, keep }, query) => {
        const values: Record<string, string> = {};
        for (const [index, name] of operation.pathParameters.entries()) {
          // What is there is looked at only: a workspace that is deleted here would be missed by later tests.
          const isReal = keep && index === 0 && operation.method === 'GET';
          values[name] = isReal ? (ids[name] ?? some) : index % 2 === 0 ? some : other;
        }
        const search = Object.entries(query).map(([name, value]) => `${name}=${value}`);
        const known = operation.queryParameters.map((name) => `${name}=${other}`);
        const path = `${pathOf(operation, values)}?${[...known, ...search].join('&')}`;
        const answer = await rawRequest(operation.method, path);
        expect(`${operation.method} ${path} ${answer.status} ${answer.text}`).not.toMatch(/ 5\d\d /);
        if (answer.status >= 400) expect(JSON.parse(answer.text)).toMatchObject({ status: answer.status });
      },
    );
    await fc.assert(property, { numRuns: 200, interruptAfterTimeLimit: 20_000 });
    expect((await server.get('/health/ready')).status).toBe(200);
  });

  /** With the path as it is: a URL object would tidy it up. */
  function rawRequest(
    method: string,
    path: string,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const { hostname, port } = new URL(server.url);
    return new Promise((resolve, reject) => {
      const headers = { ...ada.api.credentials(), 'if-match': '*', 'content-type': 'application/json' };
      const sent = request({ hostname, port, method, path, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
        );
      });
      sent.on('error', reject);
      sent.end(method === 'GET' || method === 'DELETE' ? undefined : '{}');
    });
  }

  const bytes = Buffer.from([0x00, 0xff, 0xfe, 0x80, 0x0a]);
  const hooks: readonly {
    readonly name: string;
    readonly type?: string;
    readonly body: string | Buffer;
    readonly kind: string;
    readonly shown: unknown;
  }[] = [
    {
      name: 'bytes',
      type: 'application/octet-stream',
      body: bytes,
      kind: 'base64',
      shown: bytes.toString('base64'),
    },
    {
      name: 'bytes that claim to be JSON',
      type: 'application/json',
      body: bytes,
      kind: 'base64',
      shown: bytes.toString('base64'),
    },
    { name: 'JSON', type: 'application/json', body: '{"a":[1,"ü"]}', kind: 'json', shown: { a: [1, 'ü'] } },
    {
      name: 'another type of JSON',
      type: 'application/cloudevents+json',
      body: '{"a":1}',
      kind: 'json',
      shown: { a: 1 },
    },
    { name: 'half a JSON', type: 'application/json', body: '{"a":', kind: 'text', shown: '{"a":' },
    {
      name: 'JSON with a NUL',
      type: 'application/json',
      body: `{"a":"${NUL}"}`,
      kind: 'text',
      shown: `{"a":"${NUL}"}`,
    },
    {
      name: 'JSON with a lone surrogate',
      type: 'application/json',
      body: `["${LONE_SURROGATE}"]`,
      kind: 'text',
      shown: `["${LONE_SURROGATE}"]`,
    },
    {
      name: 'JSON with __proto__',
      type: 'application/json',
      body: '{"__proto__":1}',
      kind: 'text',
      shown: '{"__proto__":1}',
    },
    {
      name: 'JSON with a number beyond all numbers',
      type: 'application/json',
      body: '[1e400]',
      kind: 'text',
      shown: '[1e400]',
    },
    {
      name: 'JSON of ten thousand levels',
      type: 'application/json',
      body: '['.repeat(10_000),
      kind: 'text',
      shown: '['.repeat(10_000),
    },
    {
      name: 'a form',
      type: 'application/x-www-form-urlencoded',
      body: 'a=1&a=2&b=%00&__proto__=x',
      kind: 'form',
      shown: JSON.parse('{"a":["1","2"],"b":"\ufffd","__proto__":"x"}'),
    },
    {
      name: 'a file',
      type: 'multipart/form-data; boundary=x',
      body: '--x\r\n\r\nhello\r\n--x--',
      kind: 'text',
      shown: '--x\r\n\r\nhello\r\n--x--',
    },
    { name: 'text with a NUL', type: 'text/plain', body: 'a\0b', kind: 'text', shown: 'a\ufffdb' },
    {
      name: 'an unheard-of type',
      type: 'x-nobody/knows; charset=klingon',
      body: 'nuqneH',
      kind: 'text',
      shown: 'nuqneH',
    },
    { name: 'a broken type', type: ';;;', body: 'hello', kind: 'text', shown: 'hello' },
    { name: 'no type at all', body: Buffer.from('hello'), kind: 'text', shown: 'hello' },
    { name: 'an empty body', type: 'application/json', body: '', kind: 'empty', shown: null },
  ];

  it.each(hooks)('at a webhook is a call like any other: $name', async ({ type, body, kind, shown }) => {
    const answer = await server.send('POST', hook.hookPath ?? '', {
      body,
      headers: type === undefined ? {} : { 'content-type': type },
    });
    expect(answer).toMatchObject({ status: 202, body: { runId: expect.any(String) } });
    const run = await runInStatus(ada, answer.body.runId, 'succeeded');
    expect(run.input).toMatchObject({
      bodyKind: kind,
      headers: type === undefined ? {} : { 'content-type': type },
    });
    expect(run.input.body).toEqual(shown);
    expect(run.output).toMatchObject({ seen: { kind } });
    expect(run.output.seen.body).toEqual(shown);
  });

  it('at a webhook is refused when it is larger than a webhook takes', async () => {
    const answer = await server.send('POST', hook.hookPath ?? '', { body: 'x'.repeat(256 * 1024 + 1) });
    expect([answer.status, complaint(answer)]).toEqual([413, null]);
  });
});

/** Any text as bytes in a URL; halves of surrogate pairs become what UTF-8 makes of them. */
function percentEncoded(text: string): string {
  return [...Buffer.from(text, 'utf8')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}
