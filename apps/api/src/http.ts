import type { IncomingMessage } from 'node:http';
import helmet from '@fastify/helmet';
import { reference } from './reference';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  acceptedRequestId,
  AllowedMethods,
  answerClientError,
  answerFrameworkError,
  type Config,
  type Ids,
  installBodyParsers,
  installHttpHooks,
  Logger,
  ProblemFilter,
  SchemaValidationPipe,
  serveReference,
} from '#platform';

/** How long a client may take to send a whole request: slow senders must not hold connections. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the idle time of usual load balancers (60 s), which would else reuse a connection we are closing. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
const MAX_PARAM_CHARS = 200;

/** The Fastify adapter of the API, with what can only be said when the server is made. */
export function createHttpAdapter(config: Config, ids: Ids): FastifyAdapter {
  const { trustedProxies, allowedBodyBytes } = config.values;
  return new FastifyAdapter({
    // Nobody else may say which address a request comes from.
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    bodyLimit: allowedBodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    // While it drains, the server answers what still comes in over open connections, then closes them.
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: ({ headers }: IncomingMessage) => acceptedRequestId(headers['x-request-id']) ?? ids.next(),
    logger: false,
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: (error, socket) => answerClientError(error, socket, ids.next()),
  });
}

/**
 * Everything between the socket and the handlers: security headers, hooks, body parsers, validation, problem
 * documents and the reference page. Call it on a new application before `init` or `listen`. Routes carry their `/v1`
 * themselves, so there is neither a global prefix nor versioning.
 */
export async function configureHttp(app: NestFastifyApplication, config: Config): Promise<void> {
  const allowedMethods = new AllowedMethods();
  await app.register(helmet, securityHeaders(config));
  installHttpHooks(app.getHttpAdapter().getInstance(), allowedMethods);
  installBodyParsers(app, config.values.allowedBodyBytes);
  app.useGlobalFilters(new ProblemFilter(allowedMethods, app.get(Logger)));
  app.useGlobalPipes(new SchemaValidationPipe());
  serveReference(app, reference);
}

/** Everything from our own origin, nothing inline but styles (swagger-ui writes some), and nobody may frame us. */
function securityHeaders({ values }: Config): NonNullable<Parameters<typeof helmet>[1]> {
  const isHttps = values.publicUrl?.startsWith('https:') ?? false;
  return {
    global: true,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        ...(isHttps ? { upgradeInsecureRequests: [] } : {}),
      },
    },
    strictTransportSecurity: isHttps,
  };
}
