import type { FastifyInstance, FastifyRequest } from 'fastify';
import { httpMetrics } from '../metrics/http-metrics';
import type { AllowedMethods } from './allowed-methods';
import { type RequestContext, withRequest } from './request-context';
import { checkUrl } from './url-guard';

/**
 * Hooks around every request: its context for logs, its id in the answer, a look at its URL, its duration, and the
 * routes for `Allow`. Call it before any route is registered.
 */
export function installHttpHooks(instance: FastifyInstance, allowedMethods: AllowedMethods): void {
  const contexts = new WeakMap<FastifyRequest, RequestContext>();
  instance.addHook('onRoute', ({ url, method }) => allowedMethods.add(url, method));
  instance.addHook('onRequest', (request, reply, done) => {
    const context: RequestContext = { requestId: request.id };
    contexts.set(request, context);
    void reply.header('x-request-id', request.id);
    withRequest(context, () => done(urlError(request)));
  });
  // The body's events come from the socket, outside the context entered above.
  instance.addHook('preValidation', (request, _reply, done) => {
    const context = contexts.get(request);
    if (context) withRequest(context, done);
    else done();
  });
  instance.addHook('onResponse', (request, reply, done) => {
    const isStream = String(reply.getHeader('content-type')).startsWith('text/event-stream');
    if (!isStream) observe(request, reply.statusCode, reply.elapsedTime);
    done();
  });
}

function urlError({ url }: FastifyRequest): Error | undefined {
  try {
    checkUrl(url);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error('The URL could not be checked.', { cause: error });
  }
}

function observe(request: FastifyRequest, status: number, elapsedMs: number): void {
  const route = request.routeOptions.url ?? 'unmatched';
  httpMetrics.seconds.observe({ method: request.method, route, status: String(status) }, elapsedMs / 1000);
}
