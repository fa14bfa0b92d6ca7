import { Global, Injectable, Module } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyRequest } from 'fastify';
import passport from 'passport';
import {
  type Access,
  AllowedMethods,
  buildOpenApi,
  Config,
  HttpModule,
  installBodyParsers,
  installHttpHooks,
  LivePrincipals,
  Logger,
  parseConfig,
  PlatformModule,
  type Principal,
  ProblemFilter,
  SchemaValidationPipe,
  WorkspaceAccess,
} from '#platform';
import { CollectingLogger, useTestDb } from '#platform/testing';
import { NodeKindRegistry } from '../nodes/registry';
import { DeletedWorkspaces, WorkflowAudit, WorkflowLimits } from '../ports';
import { CatalogModule } from './catalog.module';
import {
  accessTo,
  aDefinition,
  aMember,
  FakeDeletions,
  FixedLimits,
  RecordedAudit,
  testKinds,
  webhooks,
} from './testing/catalog-rooms';

const VIEWER = ['workflow:read'];
const MEMBER = [...VIEWER, 'workflow:write', 'workflow:publish', 'hook:read'];

/** Whoever names a role has it: `Authorization: member`. */
class NamedRole extends passport.Strategy {
  override authenticate(request: Pick<FastifyRequest, 'headers'>): void {
    const role = request.headers['authorization'];
    if (role === undefined) return this.fail(401);
    this.success({ kind: 'api_key', apiKeyId: 'k', workspaceId: request.headers['x-workspace'], role });
  }
}

@Injectable()
class NamedSession extends PassportStrategy(NamedRole, 'session') {
  validate(): void {}
}

@Injectable()
class NamedKey extends PassportStrategy(NamedRole, 'api-key') {
  validate(): void {}
}

class RoleAccess extends WorkspaceAccess {
  of(principal: Principal, workspaceId: string): Promise<Access | null> {
    const isMember = principal.kind === 'api_key' && principal.role === 'member';
    return Promise.resolve(accessTo(workspaceId, isMember ? MEMBER : VIEWER));
  }
}

@Global()
@Module({
  providers: [
    NamedSession,
    NamedKey,
    { provide: WorkspaceAccess, useClass: RoleAccess },
    { provide: LivePrincipals, useValue: null },
    { provide: WorkflowLimits, useClass: FixedLimits },
    { provide: WorkflowAudit, useClass: RecordedAudit },
    { provide: DeletedWorkspaces, useClass: FakeDeletions },
  ],
  exports: [WorkspaceAccess, LivePrincipals, WorkflowLimits, WorkflowAudit, DeletedWorkspaces],
})
class PortsModule {}

@Module({ providers: [{ provide: NodeKindRegistry, useValue: testKinds }], exports: [NodeKindRegistry] })
class KindsModule {}

describe('the catalogue over HTTP', () => {
  let app: NestFastifyApplication;
  afterAll(() => app?.close());
  const testDb = useTestDb();

  beforeAll(async () => {
    const logger = new CollectingLogger();
    const config = parseConfig({
      ROLES: 'api',
      DATABASE_POOL_SIZE: '1',
      PUBLIC_URL: 'https://flows.example',
    });
    const secretKey = Buffer.alloc(32, 7);
    const module = await Test.createTestingModule({
      imports: [
        PlatformModule.forRoot({ config, databaseUrl: testDb().url, secretKey, logger }),
        HttpModule.with({ control: [], cell: [] }),
        PortsModule,
        CatalogModule.with(KindsModule),
      ],
    }).compile();
    const adapter = new FastifyAdapter({ logger: false, genReqId: () => 'the-same' });
    app = module.createNestApplication<NestFastifyApplication>(adapter, { logger: false, bodyParser: false });
    const methods = new AllowedMethods();
    installHttpHooks(adapter.getInstance(), methods);
    installBodyParsers(app, app.get(Config).values.allowedBodyBytes);
    app.useGlobalFilters(new ProblemFilter(methods, app.get(Logger)));
    app.useGlobalPipes(new SchemaValidationPipe());
    await app.init();
    await adapter.getInstance().ready();
  }, 60_000);

  /** Sends requests as a role of one new workspace. */
  async function aCaller(role = 'member') {
    const { access } = await aMember(testDb());
    const { workspaceId } = access;
    const send = async (request: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) => {
      const [method = '', path = ''] = request.split(' ');
      const answer = await app.inject({
        method: method as 'GET',
        url: path.replace('~', `/v1/workspaces/${workspaceId}/workflows`),
        headers: {
          authorization: role,
          'x-workspace': workspaceId,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      return {
        status: answer.statusCode,
        etag: answer.headers['etag'],
        text: answer.body,
        json: () => answer.json(),
      };
    };
    return send;
  }

  it('goes from a draft to a webhook URL, with an ETag on the way', async () => {
    const send = await aCaller();
    const created = await send('POST ~', { name: 'Orders' }, { 'idempotency-key': 'k1' });
    expect([created.status, created.etag]).toEqual([201, '"1"']);
    expect((await send('POST ~', { name: 'Orders' }, { 'idempotency-key': 'k1' })).text).toBe(created.text);
    const { id } = created.json();
    const saved = await send(
      `PUT ~/${id}/draft`,
      { definition: webhooks('a') },
      { 'if-match': created.etag as string },
    );
    expect([saved.status, saved.etag]).toEqual([200, '"2"']);
    const stale = await send(`PUT ~/${id}/draft`, { definition: webhooks('b') }, { 'if-match': '"1"' });
    expect([stale.status, stale.json()]).toMatchObject([
      412,
      { code: 'request.precondition_failed', currentRevision: 2 },
    ]);
    expect((await send(`PUT ~/${id}/draft`, { definition: webhooks('b') })).status).toBe(400);
    expect((await send(`POST ~/${id}/publish`, undefined, { 'if-match': '"1"' })).status).toBe(412);
    const published = await send(`POST ~/${id}/publish`, undefined, { 'if-match': '"2"' });
    expect([published.status, published.json()]).toMatchObject([201, { number: 1, workflowId: id }]);
    const again = await send(`POST ~/${id}/publish`);
    expect([again.status, again.text]).toEqual([200, published.text]);
    const none = { migrated: 0, stayed: [], more: false, cursor: null };
    const along = await send(`POST ~/${id}/publish`, { waitingRuns: 'migrate' });
    expect(along.json()).toMatchObject({ number: 1, waitingRuns: none });
    expect((await send(`POST ~/${id}/versions/1/migrate-waiting-runs`)).json()).toEqual(none);
    const read = await send(`GET ~/${id.toUpperCase()}`);
    expect(read.etag).toBe('"2"');
    expect(read.json()).toMatchObject({
      triggers: [{ nodeId: 'a', hookUrl: expect.stringMatching(/^https:\/\/flows\.example\/hooks\//) }],
    });
    expect((await send(`PATCH ~/${id}`, { name: ' Orders of today ' })).json()).toMatchObject({
      name: 'Orders of today',
    });
    expect((await send('GET ~?limit=1')).json()).toMatchObject({ data: [{ id }], hasMore: false });
    expect((await send(`GET ~/${id}/versions`)).json()).toMatchObject({ data: [{ number: 1 }] });
    expect((await send(`GET ~/${id}/versions/1`)).text).toBe(published.text);
    expect((await send(`POST ~/${id}/archive`)).json()).toMatchObject({ archivedAt: expect.any(String) });
    expect((await send('GET ~')).json()).toMatchObject({ data: [] });
    expect((await send('GET ~?state=archived')).json()).toMatchObject({ data: [{ id }] });
  });

  it('pages with cursors', async () => {
    const send = await aCaller();
    for (const name of ['A', 'B', 'C']) await send('POST ~', { name });
    const first = (await send('GET ~?limit=2')).json();
    const rest = (await send(`GET ~?limit=2&cursor=${first.nextCursor}`)).json();
    expect([...first.data, ...rest.data].map(({ name }) => name)).toEqual(['C', 'B', 'A']);
    expect((await send('GET ~?cursor=made-up')).status).toBe(400);
  });

  it('says everything that is wrong with a definition, and writes nothing', async () => {
    const send = await aCaller('viewer');
    const answer = await send('POST ~/validate', {
      definition: { nodes: [{ id: 'a', type: 'no.such' }], edges: [] },
    });
    expect([answer.status, answer.json()]).toMatchObject([
      200,
      {
        valid: false,
        problems: expect.arrayContaining([expect.objectContaining({ pointer: '/definition/nodes/0/type' })]),
      },
    ]);
    expect((await send('POST ~/validate', { definition: aDefinition('x') })).json()).toEqual({
      valid: true,
      problems: [],
    });
    expect((await send('POST ~/validate', { definition: null })).json()).toMatchObject({
      valid: false,
      problems: [{ pointer: '/definition' }],
    });
    expect((await send('GET ~')).json()).toMatchObject({ data: [] });
  });

  it('answers a draft that can not be published with 422 and places', async () => {
    const send = await aCaller();
    const { id } = (await send('POST ~', { name: 'X', definition: { nodes: [], edges: [] } })).json();
    const refused = await send(`POST ~/${id}/publish`);
    expect([refused.status, refused.json()]).toMatchObject([
      422,
      { code: 'workflow.invalid_definition', errors: [{ pointer: '/definition/nodes', code: 'no_trigger' }] },
    ]);
  });

  it('lets a viewer read, and change nothing', async () => {
    const send = await aCaller('viewer');
    const id = '0198c0de-0000-7000-8000-000000000001';
    const changes = [
      'POST ~',
      `PATCH ~/${id}`,
      `PUT ~/${id}/draft`,
      `POST ~/${id}/publish`,
      `POST ~/${id}/archive`,
      `POST ~/${id}/pause`,
      `POST ~/${id}/resume`,
    ];
    for (const change of changes) expect((await send(change, {}, { 'if-match': '*' })).status).toBe(403);
    for (const look of ['GET ~', 'GET /v1/node-types', 'GET /v1/workflow-schema']) {
      expect((await send(look)).status).toBe(200);
    }
  });

  it('gives foreign and missing workflows one answer', async () => {
    const [owner, stranger] = [await aCaller(), await aCaller()];
    const { id } = (await owner('POST ~', { name: 'Mine' })).json();
    await owner(`POST ~/${id}/publish`);
    const missing = '0198c0de-0000-7000-8000-000000000001';
    const body = { definition: aDefinition('x') };
    const routes = (asked: string): [string, unknown?][] => [
      [`GET ~/${asked}`],
      [`PATCH ~/${asked}`, { name: 'Theirs' }],
      [`PUT ~/${asked}/draft`, body],
      [`POST ~/${asked}/publish`],
      [`POST ~/${asked}/archive`],
      [`POST ~/${asked}/pause`],
      [`POST ~/${asked}/resume`],
      [`GET ~/${asked}/versions`],
      [`GET ~/${asked}/versions/1`],
    ];
    for (const [i, [route, payload]] of routes(id).entries()) {
      const foreign = await stranger(route, payload, { 'if-match': '*' });
      const absent = await stranger(routes(missing)[i]?.[0] ?? '', payload, { 'if-match': '*' });
      expect(foreign.status).toBe(404);
      // The path is the caller's own text.
      expect(foreign.text.replaceAll(id, missing)).toBe(absent.text);
    }
  });

  it.each([
    ['POST ~', '{"name": "x", "definition": {"nodes": [], "edges": [], "__proto__": {}}}'],
    ['POST ~', `{"name": "x", "definition": ${'['.repeat(200)}${']'.repeat(200)}}`],
    [
      'POST ~',
      `{"name": "x", "definition": {"nodes": [], "edges": [], "a": ${'['.repeat(80)}${']'.repeat(80)}}}`,
    ],
    ['POST ~', '{"name": "x", "definition": {"nodes": [{"id": "a", "type": "\\u0000"}], "edges": []}}'],
    ['POST ~', '{"name": "x", "definition": {"nodes": [{"id": "a", "type": "\\ud800"}], "edges": []}}'],
    [
      'POST ~',
      '{"name": "x", "definition": {"nodes": [{"id": "a", "type": "set", "params": {"n": 1e999}}], "edges": []}}',
    ],
    ['POST ~', { name: 'x', definition: null }],
    ['POST ~', { name: 'x', definition: 'text' }],
    ['POST ~', { name: 'x', workspaceId: 'y' }],
    ['POST ~', { name: '  ' }],
    ['POST ~', { name: 'x'.repeat(121) }],
    ['POST ~', { name: 'a\nb' }],
    ['POST ~', {}],
    ['GET ~/not-an-id', undefined],
    ['GET ~?limit=0', undefined],
    ['GET ~?state=gone', undefined],
    ['GET ~/0198c0de-0000-7000-8000-000000000001/versions/0', undefined],
    ['GET ~/0198c0de-0000-7000-8000-000000000001/versions/99999999999', undefined],
  ])('answers bad input with 400: %s %j', async (request, body) => {
    const send = await aCaller();
    const answer = await send(request, body);
    expect([answer.status, answer.json().code]).toEqual([400, expect.stringMatching(/^request\./)]);
  });

  it('describes the kinds of node and the definition', async () => {
    const send = await aCaller();
    const { data } = (await send('GET /v1/node-types')).json();
    expect(data).toHaveLength(testKinds.list().length);
    expect(data).toContainEqual(
      expect.objectContaining({
        type: 'condition',
        role: 'action',
        ports: ['true', 'false'],
        paramsSchema: expect.objectContaining({ type: 'object', required: ['if'] }),
      }),
    );
    expect((await send('GET /v1/workflow-schema')).json()).toMatchObject({ title: 'Workflow definition' });
  });

  it('is described in the API document', () => {
    const { paths, components } = buildOpenApi(app, { sessionCookie: 'session' });
    const route = paths['/v1/workspaces/{workspaceId}/workflows/{workflowId}/draft']?.put;
    expect(route).toMatchObject({ 'x-permission': 'workflow:write', responses: { 200: expect.anything() } });
    expect(Object.keys(components?.schemas ?? {})).toEqual(
      expect.arrayContaining([
        'NewWorkflow',
        'WorkflowView',
        'WorkflowSummaryPage',
        'WorkflowDefinition',
        'NodeTypes',
      ]),
    );
  });
});
