import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { Body, Controller, Delete, Get, Global, Module, Param, Post, Query, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import passport from 'passport';
import { z } from 'zod';
import {
  type Access,
  buildOpenApi,
  CurrentAccess,
  currentRequest,
  type EventStream,
  HttpModule,
  Lifecycle,
  LivePrincipals,
  openStream,
  pageQuery,
  parseConfig,
  PlatformModule,
  type Principal,
  Public,
  RawBodyRoute,
  Requires,
  WorkspaceAccess,
} from '#platform';
import { CollectingLogger, CountingIds, eventually, useTestDb } from '#platform/testing';
import { migrations } from '#migrations';
import { configureHttp, createHttpAdapter } from './http';
import { reference } from './reference';

const WORKSPACE = '0198c0de-0000-7000-8000-000000000001';
const OTHER = '0198c0de-0000-7000-8000-000000000002';
const BODY_LIMIT_BYTES = 64 * 1024;

const thing = z
  .strictObject({ name: z.string().max(50), size: z.number().int().optional() })
  .meta({ id: 'Thing' });

@Public()
@Controller('v1')
class OpenController {
  constructor(private readonly lifecycle: Lifecycle) {}

  @Post('anything')
  anything(@Body({ schema: z.unknown() }) body: unknown): object {
    return { body, context: currentRequest()?.requestId };
  }

  @Post('things')
  create(@Body({ schema: thing }) body: z.output<typeof thing>): object {
    return body;
  }

  @Get('things')
  list(@Query({ schema: pageQuery }) query: z.output<typeof pageQuery>): object {
    return query;
  }

  @Get('things/:id')
  get(@Param('id', { schema: z.uuid() }) id: string): object {
    return { id };
  }

  @Delete('things/:id')
  delete(@Param('id') id: string): object {
    return { id };
  }

  @Post('hooks/:id')
  @RawBodyRoute(1000)
  hook(@Body() body: Buffer): object {
    return { bytes: body.length, hex: body.toString('hex').slice(0, 20) };
  }

  @Get('mistake')
  mistake(): never {
    throw new TypeError('hunter2 is the password');
  }

  @Get('stream')
  stream(@Res() reply: FastifyReply): void {
    const stream = openStream(reply, { signal: this.lifecycle.stopping });
    streams.push(stream);
    stream.send({ id: '1', event: 'greeting', data: { text: 'line\nbreak' } });
  }

  @Get('flood')
  flood(@Res() reply: FastifyReply): void {
    const stream = openStream(reply);
    let sent = 0;
    while (sent < 1000 && stream.send({ data: 'x'.repeat(10_000) })) sent += 1;
    floods.push({ sent, closed: stream.closed.aborted });
  }
}

const streams: EventStream[] = [];
const floods: { readonly sent: number; readonly closed: boolean }[] = [];

@Controller('v1/workspaces/:workspaceId')
class GuardedController {
  @Get('things')
  @Requires('thing:read')
  list(@CurrentAccess() access: Access): object {
    return { role: access.role };
  }

  @Post('things')
  @Requires('thing:write')
  create(): object {
    return { created: true };
  }

  @Get('forgotten')
  forgotten(): object {
    return { leak: true };
  }
}

class TestAccess extends WorkspaceAccess {
  async of(principal: Principal, workspaceId: string): Promise<Access | null> {
    if (workspaceId !== WORKSPACE) return null;
    const role = principal.kind === 'user' ? 'owner' : principal.role;
    const permissions = new Set(role === 'owner' ? ['thing:read', 'thing:write'] : ['thing:read']);
    return { workspaceId, role, permissions };
  }
}

/** Knows a fixed token, as identity's strategies know sessions and keys. */
class TokenStrategy extends passport.Strategy {
  constructor(private readonly known: Readonly<Record<string, Principal>>) {
    super();
  }

  override authenticate({ headers }: { readonly headers: IncomingHttpHeaders }): void {
    const principal = this.known[headers.authorization ?? headers.cookie ?? ''];
    if (principal) this.success(principal);
    else this.fail(401);
  }
}

const user = { kind: 'user', userId: 'u1', sessionId: 's1' } as const;
const key = { kind: 'api_key', apiKeyId: 'k1', role: 'viewer', scopes: null } as const;
passport.use(
  'session',
  new TokenStrategy({
    'Bearer session': { ...user, via: 'bearer' },
    'session=1': { ...user, via: 'cookie' },
  }),
);
passport.use(
  'api-key',
  new TokenStrategy({
    'Bearer key': { ...key, workspaceId: WORKSPACE },
    'Bearer foreign': { ...key, workspaceId: OTHER },
  }),
);

@Global()
@Module({
  providers: [
    { provide: WorkspaceAccess, useClass: TestAccess },
    { provide: LivePrincipals, useValue: null },
  ],
  exports: [WorkspaceAccess, LivePrincipals],
})
class Wiring {}

describe('the HTTP door', () => {
  const testDb = useTestDb();
  const logger = new CollectingLogger();
  let app: NestFastifyApplication;
  let port: number;

  beforeAll(async () => {
    const config = parseConfig({
      ROLES: 'api',
      BODY_LIMIT_BYTES: String(BODY_LIMIT_BYTES),
      METRICS_TOKEN: 'scrape-me',
      PUBLIC_URL: 'https://app.example',
      DATABASE_POOL_SIZE: '2',
    });
    const databaseUrl = testDb().url;
    const platform = PlatformModule.forRoot({ config, databaseUrl, secretKey: Buffer.alloc(32, 7), logger });
    class TestApp {}
    Module({
      imports: [platform, Wiring, HttpModule.with(migrations)],
      controllers: [OpenController, GuardedController],
    })(TestApp);
    const adapter = createHttpAdapter(config, new CountingIds());
    app = await NestFactory.create<NestFastifyApplication>(TestApp, adapter, { logger: false });
    await configureHttp(app, config);
    await app.listen(0, '127.0.0.1');
    port = (app.getHttpServer().address() as AddressInfo).port;
    app.get(Lifecycle).ready();
  }, 60_000);

  afterAll(() => app.close());

  const post = (url: string, payload: string | Buffer, headers: IncomingHttpHeaders = {}) =>
    app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json', ...headers } });
  const get = (url: string, headers: Record<string, string> = {}) =>
    app.inject({ method: 'GET', url, headers });

  describe('refuses hostile bodies with a problem, never with a 5xx', () => {
    const json: [name: string, body: string | Buffer, status: number, pointer?: string][] = [
      ['broken JSON', '{"name":', 400],
      ['a NUL byte', '\0', 400],
      ['only white space', '  ', 400],
      ['invalid UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), 400],
      ['UTF-16', Buffer.from('{"name":"x"}', 'utf16le'), 400],
      ['a NUL in a text', '{"name":"a\\u0000b"}', 400, '/name'],
      ['a NUL in a key', '{"a":{"\\u0000":1}}', 400, '/a/\0'],
      ['a lone surrogate', '{"name":["\\ud800"]}', 400, '/name/0'],
      ['a __proto__ key', '{"__proto__":{"isAdmin":true}}', 400, '/__proto__'],
      ['an escaped __proto__ key', '{"\\u005f\\u005fproto__":1}', 400, '/__proto__'],
      ['constructor.prototype', '{"a":{"constructor":{"prototype":{"x":1}}}}', 400, '/a/constructor'],
      ['a number beyond a double', '{"name":1e400}', 400, '/name'],
      ['nesting by arrays', '['.repeat(30_000) + ']'.repeat(30_000), 400],
      ['nesting by objects', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`, 400],
      ['unclosed nesting', '['.repeat(60_000), 400],
      ['too many bytes', `"${'x'.repeat(BODY_LIMIT_BYTES)}"`, 413],
      ['a string for an object', '"x"', 400],
      ['null', 'null', 400],
      ['an unknown key', '{"name":"x","more":1}', 400, '/more'],
      ['a wrong type', '{"name":"x","size":"big"}', 400, '/size'],
      ['nothing', '', 400],
    ];
    const cases = json.map(([name, body, status, pointer]) => ({ name, body, status, pointer }));
    it.each(cases)('$name', async ({ body, status, pointer }) => {
      const answer = await post('/v1/things', body);
      expect(answer.statusCode).toBe(status);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.json()).toMatchObject({
        status,
        instance: '/v1/things',
        requestId: answer.headers['x-request-id'],
        ...(pointer === undefined ? {} : { errors: [{ pointer }] }),
      });
      expect(Object.prototype).not.toHaveProperty('isAdmin');
    });

    const types: readonly (readonly [name: string, headers: Record<string, string>])[] = [
      ['text/plain', { 'content-type': 'text/plain' }],
      ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['multipart', { 'content-type': 'multipart/form-data; boundary=x' }],
      ['another JSON type', { 'content-type': 'application/problem+json' }],
      ['JSON in Latin 1', { 'content-type': 'application/json; charset=iso-8859-1' }],
      ['a broken content type', { 'content-type': 'json' }],
      ['an empty content type', { 'content-type': '' }],
      ['compressed JSON', { 'content-encoding': 'gzip' }],
    ];
    it.each(types)('%s', async (_name, headers) => {
      const answer = await post('/v1/things', '{"name":"x"}', headers);
      expect(answer.statusCode).toBe(415);
      expect(answer.headers['accept']).toBe('application/json');
      expect(answer.json()).toMatchObject({ code: 'request.unsupported_media_type' });
    });

    it.each([
      '/v1/things/%00',
      '/v1/things/%ff',
      '/v1/things/%zz',
      '/v1/things?cursor=%00',
      '/v1/things?limit=%C3%28',
    ])('the URL %s', async (url) => {
      const answer = await get(url);
      expect(answer.statusCode).toBe(400);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.json()).toMatchObject({ requestId: answer.headers['x-request-id'] });
    });

    it.each([
      ['/v1/things?limit=0', '?limit'],
      ['/v1/things?limit=1&limit=2', '?limit'],
      ['/v1/things?cursor=', '?cursor'],
      ['/v1/things/not-a-uuid', ':id'],
    ])('the value in %s', async (url, pointer) => {
      const answer = await get(url);
      expect(answer.json()).toMatchObject({ status: 400, errors: [{ pointer }] });
    });

    it('bytes that are no HTTP', async () => {
      const text = await new Promise<string>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'));
        const chunks: Buffer[] = [];
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.on('end', () => resolve(Buffer.concat(chunks).toString()));
        socket.on('error', reject);
      });
      expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(text).toContain('application/problem+json');
    });

    it('headers without end', async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/things`, {
        headers: { 'x-long': 'x'.repeat(40_000) },
      });
      expect(answer.status).toBe(431);
      expect(await answer.json()).toMatchObject({ code: 'request.headers_too_large' });
    });
  });

  describe('lets harmless requests through', () => {
    it.each(['{"a":[1,2.5e3,"\\ud83d\\ude00"]}', '[]', 'false', '0', '"constructor"', '\ufeff{}'])(
      '%s',
      async (body) => {
        const answer = await post('/v1/anything', body, {
          'content-type': 'application/json; charset=UTF-8',
        });
        expect(answer.statusCode).toBe(201);
        expect(answer.json().body).toEqual(JSON.parse(body.replace('\ufeff', '')));
      },
    );

    it('a DELETE and a POST that have a content type but no body', async () => {
      const headers = { 'content-type': 'application/json' };
      expect((await app.inject({ method: 'DELETE', url: '/v1/things/1', headers })).statusCode).toBe(200);
      expect((await post('/v1/anything', '')).statusCode).toBe(201);
    });

    it('any bytes on a raw route, up to its own limit', async () => {
      const bytes = Buffer.from('007bff', 'hex');
      for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/xml']) {
        const answer = await post('/v1/hooks/1', bytes, { 'content-type': type });
        expect(answer.json()).toEqual({ bytes: 3, hex: '007bff' });
      }
      expect((await post('/v1/hooks/1', Buffer.alloc(1001))).statusCode).toBe(413);
    });
  });

  describe('answers', () => {
    it('404 for an unknown path, whatever was sent to it', async () => {
      expect((await get('/v1/nothing')).json()).toMatchObject({ code: 'request.not_found' });
      const answer = await post('/v1/nothing', '{', { 'content-type': 'text/plain' });
      expect(answer.statusCode).toBe(404);
    });

    it('405 with the methods a path does answer', async () => {
      const answer = await app.inject({ method: 'PUT', url: '/v1/things?x=1' });
      expect(answer.statusCode).toBe(405);
      expect(answer.headers['allow']).toBe('GET, HEAD, POST');
      expect(answer.json()).toMatchObject({ code: 'request.method_not_allowed' });
    });

    it('500 without a word about the mistake, which goes to the log', async () => {
      const answer = await get('/v1/mistake');
      expect(answer.statusCode).toBe(500);
      expect(answer.body).not.toContain('hunter2');
      expect(JSON.stringify(logger.lines.filter(({ level }) => level === 'error'))).toContain(
        'A request failed.',
      );
    });

    it('with the request id it was given, unless that could hurt', async () => {
      expect((await get('/v1/things', { 'x-request-id': 'trace-12345' })).headers['x-request-id']).toBe(
        'trace-12345',
      );
      const other = await get('/v1/things', { 'x-request-id': 'x<script>' });
      expect(other.headers['x-request-id']).toMatch(/^00000000-0000-7000-8000-\d{12}$/);
    });

    it('with the context of the request also after its body was read from a socket', async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/anything`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': 'over-the-wire' },
        body: JSON.stringify({ big: 'x'.repeat(50_000) }),
      });
      expect(await answer.json()).toMatchObject({ context: 'over-the-wire' });
    });

    it('with security headers, errors included', async () => {
      for (const url of ['/v1/things', '/v1/nothing', '/v1/things/%00']) {
        const { headers } = await get(url);
        expect(headers['content-security-policy']).toContain("script-src 'self'");
        expect(headers['x-content-type-options']).toBe('nosniff');
      }
    });
  });

  describe('guards', () => {
    const url = `/v1/workspaces/${WORKSPACE}/things`;

    it('ask for credentials', async () => {
      const answer = await get(url);
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="millrace"');
      expect((await get(url, { authorization: 'Bearer wrong' })).statusCode).toBe(401);
    });

    it('let a session and a key in', async () => {
      expect((await get(url, { authorization: 'Bearer session' })).json()).toEqual({ role: 'owner' });
      expect((await get(url, { authorization: 'Bearer key' })).json()).toEqual({ role: 'viewer' });
    });

    it('say which permission is missing from which role', async () => {
      const answer = await post(url, '{}', { authorization: 'Bearer key' });
      expect(answer.json()).toMatchObject({ status: 403, permission: 'thing:write', role: 'viewer' });
    });

    it('give one 404 for foreign, missing and misspelt workspaces', async () => {
      const asked = [
        get(`/v1/workspaces/${OTHER}/things`, { authorization: 'Bearer session' }),
        get(`/v1/workspaces/${OTHER}/things`, { authorization: 'Bearer foreign' }),
        get(url, { authorization: 'Bearer foreign' }),
        get('/v1/workspaces/nonsense/things', { authorization: 'Bearer session' }),
      ];
      const bodies = (await Promise.all(asked)).map((answer) => {
        const { instance: _, requestId: __, ...rest } = answer.json();
        return rest;
      });
      expect(bodies.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
      expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    });

    it('close a route that forgot to say what it requires', async () => {
      const answer = await get(`/v1/workspaces/${WORKSPACE}/forgotten`, { authorization: 'Bearer session' });
      expect(answer.statusCode).toBe(500);
    });

    it('refuse a cookie that another site makes the browser send', async () => {
      const cookie = 'session=1';
      expect((await post(url, '{}', { cookie, 'sec-fetch-site': 'same-origin' })).statusCode).toBe(201);
      expect((await post(url, '{}', { cookie, 'sec-fetch-site': 'cross-site' })).statusCode).toBe(403);
      expect((await post(url, '{}', { cookie, origin: 'https://evil.example' })).statusCode).toBe(403);
      expect((await get(url, { cookie, 'sec-fetch-site': 'cross-site' })).statusCode).toBe(200);
      const bearer = { authorization: 'Bearer session', 'sec-fetch-site': 'cross-site' };
      expect((await post(url, '{}', bearer)).statusCode).toBe(201);
    });
  });

  describe('operations', () => {
    it('live and ready, with the state of each dependency', async () => {
      expect((await get('/health/live')).json()).toEqual({ status: 'live' });
      const answer = await get('/health/ready');
      expect(answer.json()).toMatchObject({
        status: 'ready',
        checks: { database: { status: 'up' }, migrations: { status: 'up' }, loops: { status: 'up' } },
      });
      expect(answer.statusCode).toBe(200);
    });

    it('metrics for who has the token, by route template', async () => {
      await get('/v1/things/0198c0de-0000-7000-8000-00000000beef');
      expect((await get('/metrics')).statusCode).toBe(401);
      expect((await get('/metrics', { authorization: 'Bearer scrape' })).statusCode).toBe(401);
      const answer = await get('/metrics', { authorization: 'Bearer scrape-me' });
      expect(answer.headers['content-type']).toContain('text/plain');
      expect(answer.body).toContain('route="/v1/things/:id"');
      expect(answer.body).toContain('process_cpu_user_seconds_total');
      expect(answer.body).not.toContain('beef');
    });

    it('an OpenAPI document whose operations tell their security and problems', async () => {
      const document = (await get('/openapi.json')).json();
      expect(document).toMatchObject({
        openapi: '3.1.0',
        info: { title: 'Millrace', version: expect.any(String) },
      });
      expect(document.paths['/v1/things'].post).toMatchObject({
        operationId: 'open_create',
        security: [],
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
        responses: { default: { $ref: '#/components/responses/Problem' } },
      });
      expect(document.paths['/v1/workspaces/{workspaceId}/things'].post).toMatchObject({
        security: [{ session: [] }, { sessionCookie: [] }, { apiKey: [] }],
        'x-permission': 'thing:write',
      });
      expect(document).toEqual(JSON.parse(JSON.stringify(buildOpenApi(app, reference))));
    });

    it('a reference page that runs under the content security policy and loads nothing from elsewhere', async () => {
      const page = await get('/reference');
      expect(page.statusCode).toBe(200);
      expect(page.body).not.toMatch(/<script(?![^>]*\ssrc=)/);
      expect(page.body).not.toMatch(/\son\w+=/);
      const sources = [...page.body.matchAll(/(?:src|href)=['"]([^'"]+)['"]/g)].map(
        ([, source]) => source ?? '',
      );
      expect(sources.length).toBeGreaterThan(3);
      for (const source of sources) {
        const asset = new URL(source, 'http://localhost/reference');
        expect(asset.host).toBe('localhost');
        expect((await get(asset.pathname)).statusCode).toBe(200);
      }
    });
  });

  describe('event streams', () => {
    it('deliver events, and cut off a reader that does not read', async () => {
      const answer = await new Promise<{ type: string; csp: string; text: string }>((resolve, reject) => {
        httpRequest({ port, path: '/v1/stream' }, (response) => {
          const chunks: string[] = [];
          response.setEncoding('utf8').on('data', (chunk: string) => {
            chunks.push(chunk);
            if (!chunks.join('').includes('\n\n', 15)) return;
            const { headers } = response;
            resolve({
              type: String(headers['content-type']),
              csp: String(headers['content-security-policy']),
              text: chunks.join(''),
            });
            response.destroy();
          });
        })
          .on('error', reject)
          .end();
      });
      expect(answer.type).toBe('text/event-stream; charset=utf-8');
      expect(answer.csp).toContain("default-src 'self'");
      expect(answer.text).toContain(
        'retry: 2000\n\nid: 1\nevent: greeting\ndata: {"text":"line\\nbreak"}\n\n',
      );
      // The reader has left.
      await eventually(() => expect(streams[0]?.closed.aborted).toBe(true));
      expect(streams[0]?.send({ data: 1 })).toBe(false);

      const slow = connect(port, '127.0.0.1', () => slow.write('GET /v1/flood HTTP/1.1\r\nhost: x\r\n\r\n'));
      slow.pause();
      await eventually(() => expect(floods).toHaveLength(1));
      expect(floods[0]).toMatchObject({ closed: true });
      expect(floods[0]?.sent).toBeLessThan(120);
      slow.destroy();
    });

    // Last: it stops the application's lifecycle.
    it('end when the process drains, and readiness says so', async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/stream`);
      await app.get(Lifecycle).drain();
      expect(await answer.text()).toContain('greeting');
      const ready = await get('/health/ready');
      expect(ready.statusCode).toBe(503);
      expect(ready.json()).toMatchObject({ status: 'not_ready' });
    });
  });
});
