import type { INestApplication } from '@nestjs/common';
import { ModulesContainer, Reflector } from '@nestjs/core';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { PUBLIC_ROUTE, REQUIRED_PERMISSION } from '../auth/decorators';
import { RATE_LIMITS, type RouteLimit } from '../limits/rate-limit.decorator';
import { PROBLEM_CONTENT_TYPE } from './problem';
import { problemSchema } from './problem-schema';
import { productVersion } from './product-version';

/** Path of the document itself. */
const OPENAPI_PATH = '/openapi.json';
/** Path of the reference page: the bundled swagger-ui, which loads nothing from elsewhere. */
const REFERENCE_PATH = '/reference';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** What the guards ask of a handler. */
interface Demands {
  readonly isPublic: boolean;
  readonly permission: string | undefined;
  readonly limits: readonly RouteLimit[];
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'] as const;

/** What an application says of itself in its document. */
export interface Reference {
  /** Name of the session's cookie. */
  readonly sessionCookie: string;
  /** What the groups of routes are for, in Markdown, by their tags and in the order they are shown in. */
  readonly tags?: Readonly<Record<string, string>>;
  /** What each operation does, by its id. */
  readonly operations?: Readonly<Record<string, OperationText>>;
}

/** What an operation does: in a line, and at length where a line does not say it all. */
export interface OperationText {
  readonly summary: string;
  readonly description?: string;
}

/** The OpenAPI 3.1 document of an application; it need not listen. */
export function buildOpenApi(
  app: INestApplication,
  { sessionCookie, tags = {}, operations = {} }: Reference,
): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Millrace')
    .setDescription('Workspaces, workflows that survive crashes, and billing that counts each run once.')
    .setVersion(productVersion())
    .setOpenAPIVersion('3.1.0')
    .addSecurity('session', {
      type: 'http',
      scheme: 'bearer',
      description: 'The token that signing in answers with.',
    })
    .addSecurity('sessionCookie', { type: 'apiKey', in: 'cookie', name: sessionCookie })
    .addSecurity('apiKey', { type: 'http', scheme: 'bearer', description: "A workspace's API key." });
  for (const [name, description] of Object.entries(tags)) builder.addTag(name, description);
  const document = SwaggerModule.createDocument(app, builder.build(), { operationIdFactory: operationIdOf });
  return withProblems(withTexts(withDemands(withGuardedParameters(document), demandsOf(app)), operations));
}

/** Serves the document and the reference page. It is built at the first request for it, and open to anyone. */
export function serveReference(app: INestApplication, reference: Reference): void {
  SwaggerModule.setup(REFERENCE_PATH, app, () => buildOpenApi(app, reference), {
    jsonDocumentUrl: OPENAPI_PATH,
    raw: ['json'],
    customSiteTitle: 'Millrace API',
    swaggerOptions: { persistAuthorization: false, displayRequestDuration: true, validatorUrl: null },
  });
}

/** `WorkflowRunsController.list` becomes `workflowRuns_list`: stable as long as neither is renamed. */
function operationIdOf(controller: string, method: string): string {
  const name = controller.replace(/Controller$/, '');
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}_${method}`;
}

function demandsOf(app: INestApplication): ReadonlyMap<string, Demands> {
  const reflector = app.get(Reflector);
  const found = new Map<string, Demands>();
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype === 'function') addDemands(found, metatype, reflector);
    }
  }
  return found;
}

function addDemands(found: Map<string, Demands>, controller: Function, reflector: Reflector): void {
  const prototype: unknown = controller.prototype;
  if (typeof prototype !== 'object' || prototype === null) return;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const handler: unknown = Reflect.get(prototype, name);
    if (typeof handler !== 'function') continue;
    const isPublic =
      reflector.getAllAndOverride<boolean | undefined>(PUBLIC_ROUTE, [handler, controller]) === true;
    const permission = reflector.getAllAndOverride<string | undefined>(REQUIRED_PERMISSION, [
      handler,
      controller,
    ]);
    const limits = reflector.getAllAndOverride<readonly RouteLimit[] | undefined>(RATE_LIMITS, [
      handler,
      controller,
    ]);
    found.set(operationIdOf(controller.name, name), { isPublic, permission, limits: limits ?? [] });
  }
}

/** Handlers need not take `:workspaceId`, which the guard has read already; a path must declare it all the same. */
function withGuardedParameters(document: OpenAPIObject): OpenAPIObject {
  const workspaceId = {
    name: 'workspaceId',
    in: 'path',
    required: true,
    schema: { type: 'string', format: 'uuid' },
  } as const;
  return mapOperations(document, (operation, path) => {
    if (!path.includes('{workspaceId}')) return operation;
    return { ...operation, parameters: [workspaceId, ...(operation.parameters ?? [])] };
  });
}

/** What the guards ask of callers: credentials, a permission, and not to come too often. */
function withDemands(document: OpenAPIObject, demands: ReadonlyMap<string, Demands>): OpenAPIObject {
  return mapOperations(document, (operation) => {
    const { isPublic, permission, limits = [] } = demands.get(operation.operationId ?? '') ?? {};
    const security = isPublic === true ? [] : [{ session: [] }, { sessionCookie: [] }, { apiKey: [] }];
    return {
      ...operation,
      security,
      ...(permission === undefined ? {} : { 'x-permission': permission }),
      ...(limits.length === 0 ? {} : { 'x-rate-limits': limits }),
    };
  });
}

function withTexts(document: OpenAPIObject, texts: Readonly<Record<string, OperationText>>): OpenAPIObject {
  return mapOperations(document, (operation) => ({ ...operation, ...texts[operation.operationId ?? ''] }));
}

/** Every operation can fail, and all failures look alike. */
function withProblems(document: OpenAPIObject): OpenAPIObject {
  const problem = { $ref: '#/components/responses/Problem' };
  const answered = mapOperations(document, (operation) => ({
    ...operation,
    responses: { ...operation.responses, default: problem },
  }));
  return {
    ...answered,
    components: {
      ...answered.components,
      schemas: { ...answered.components?.schemas, Problem: problemSchema },
      responses: {
        ...answered.components?.responses,
        Problem: {
          description: 'What went wrong, by RFC 9457.',
          content: { [PROBLEM_CONTENT_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

function mapOperations(
  document: OpenAPIObject,
  change: (operation: Operation, path: string) => Operation,
): OpenAPIObject {
  const paths = Object.entries(document.paths).map(([path, item]) => {
    const operations = METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [[method, change(operation, path)] as const] : [];
    });
    return [path, { ...item, ...Object.fromEntries(operations) }] as const;
  });
  return { ...document, paths: Object.fromEntries(paths) };
}
