import { randomBytes } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { parseConfig } from '#platform';
import { CollectingLogger, useTestDb } from '#platform/testing';
import { createApplication } from '../src/application';
import type { Json } from './support/json';

jest.setTimeout(60_000);

/** What is served beside the documented API, and needs no credentials. */
const UNDOCUMENTED = [
  'GET /delete-account',
  'GET /dev/mail',
  'GET /dev/mail.json',
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'GET /reference/*',
  'GET /reset-password',
  'GET /v1/auth/oauth/{provider}',
  'GET /v1/auth/oauth/{provider}/callback',
  'GET /verify-email',
  'POST /delete-account',
  'POST /i/{token}/accept',
  'POST /i/{token}/decline',
  'POST /reset-password',
  'POST /sign-in/second-factor',
  'POST /verify-email',
];

/** The application is put together in this very process, to look at what it is made of. */
describe('the application', () => {
  const testDb = useTestDb();
  const logger = new CollectingLogger();
  const routes: { readonly method: string; readonly url: string }[] = [];
  let app: NestFastifyApplication;
  let document: Json;

  beforeAll(async () => {
    app = await createApplication({
      config: parseConfig({ DATABASE_URL: testDb().url, DATABASE_POOL_SIZE: '1' }),
      databaseUrl: testDb().url,
      secretKey: randomBytes(32),
      logger,
    });
    testDb().beforeClose(() => app.close());
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('onRoute', ({ method, url }) => {
        for (const one of [method].flat()) if (one !== 'HEAD') routes.push({ method: one, url });
      });
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    document = (await app.inject('/openapi.json')).json();
  });

  const operations = (): readonly (readonly [name: string, operation: Json])[] =>
    Object.entries<Json>(document.paths).flatMap(([path, item]) =>
      Object.entries<Json>(item).map(
        ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
      ),
    );

  it('is put together from its modules, on one connection to the database, without a warning', () => {
    expect(routes.length).toBeGreaterThan(30);
    const complaints = logger.lines.filter(({ level }) => level === 'error' || level === 'warn');
    expect(complaints.filter(({ message }) => !message.startsWith('SMTP_URL is not set'))).toEqual([]);
  });

  it('documents every route but those that are no part of the API', () => {
    const documented = new Set(operations().map(([name]) => name));
    const served = routes.map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`);
    expect(served.filter((name) => !documented.has(name)).toSorted()).toEqual(UNDOCUMENTED);
    expect([...documented].filter((name) => !served.includes(name))).toEqual([]);
  });

  it('asks for a permission on each route of a workspace, and on no other', () => {
    const halfGuarded = operations().filter(
      ([name, operation]) => name.includes('{workspaceId}') !== (operation['x-permission'] !== undefined),
    );
    expect(halfGuarded.map(([name]) => name)).toEqual([]);
  });

  it('lets nobody in without credentials, except where it says so', async () => {
    const wrong: string[] = [];
    for (const { method, url } of routes) {
      const name = `${method} ${url.replace(/:(\w+)/g, '{$1}')}`;
      const { security } = operations().find(([known]) => known === name)?.[1] ?? { security: [] };
      const path = url.replace(/:\w+/g, '0198c0de-0000-7000-8000-000000000001');
      const { statusCode, body } = await app.inject({ method: method as 'GET', url: path });
      // A page may say 401 of a token that is missing; turned away is who meets the guard.
      const isTurnedAway = body.includes('"code":"request.unauthenticated"');
      if (isTurnedAway !== security.length > 0) wrong.push(`${name}: ${statusCode}`);
    }
    expect(wrong).toEqual([]);
  });

  // What it says is written above the handler; `npm run generate` carries it into the document.
  it('says of each operation what it does', () => {
    const silent = operations().filter(([, { summary }]) => typeof summary !== 'string' || summary === '');
    expect(silent.map(([name]) => name)).toEqual([]);
  });

  it('says of each operation what it answers, and of all of them how they fail', () => {
    const wrong = operations().filter(([, { responses }]) => {
      const good = Object.entries<Json>(responses).filter(([status]) => status.startsWith('2'));
      const isDescribed = good.every(([status, { content }]) => {
        const types = Object.keys(content ?? {});
        if (status === '204') return types.length === 0;
        if (types.includes('text/event-stream') || types.includes('text/csv')) return true;
        return content?.['application/json']?.schema !== undefined;
      });
      return (
        good.length === 0 || !isDescribed || responses.default?.$ref !== '#/components/responses/Problem'
      );
    });
    expect(wrong.map(([name]) => name)).toEqual([]);
    expect(document.components.responses.Problem.content).toHaveProperty([
      'application/problem+json',
      'schema',
    ]);
  });

  it('declares every parameter of every path, and names each operation once', () => {
    const wrong = operations().filter(([name, { parameters = [] }]) => {
      const inPath = new Set([...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter));
      const declared: readonly Json[] = parameters.filter(
        (one: Json) => one.in === 'path' && one.required === true,
      );
      return declared.length !== inPath.size || declared.some((one) => !inPath.has(one.name));
    });
    expect(wrong.map(([name]) => name)).toEqual([]);
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('refers to nothing that it does not describe', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
      ([, path]) => path ?? '',
    );
    const dangling = references.filter(
      (path) => path.split('/').reduce<Json>((place, name) => place?.[name], document) === undefined,
    );
    expect([...new Set(dangling)]).toEqual([]);
  });
});
