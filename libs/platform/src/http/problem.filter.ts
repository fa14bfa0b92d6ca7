import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../log/logger';
import type { AllowedMethods } from './allowed-methods';
import { faultOf, methodNotAllowed } from './fault';
import { type Fault, PROBLEM_CONTENT_TYPE, problemDocument } from './problem';

/** The one filter: whatever was thrown becomes an RFC 9457 problem document, and what is our fault goes to the log. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(
    private readonly allowedMethods: AllowedMethods,
    logger: Logger,
  ) {
    this.#logger = logger.scoped('http');
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const fault = this.#faultOf(thrown, request);
    logFault(this.#logger, { fault, thrown, request });
    if (reply.raw.headersSent) {
      // The answer has begun, as in a stream: cutting it off is the only sign left to give.
      reply.raw.destroy();
      return;
    }
    sendProblem(reply, fault, request);
  }

  #faultOf(thrown: unknown, request: FastifyRequest): Fault {
    const fault = faultOf(thrown);
    if (fault.status !== 404 || !request.is404) return fault;
    const allowed = this.allowedMethods.of(pathOf(request.url));
    return allowed.length === 0 ? fault : methodNotAllowed(request.method, allowed);
  }
}

/** Our own faults are errors in the log, a dependency that is away is a warning, and what callers did is for debugging. */
export function logFault(
  logger: Logger,
  {
    fault,
    thrown,
    request,
  }: { readonly fault: Fault; readonly thrown: unknown; readonly request: FastifyRequest },
): void {
  const fields = {
    method: request.method,
    route: request.routeOptions.url,
    status: fault.status,
    error: thrown,
  };
  if (fault.status === 500) logger.error('A request failed.', fields);
  else if (fault.status === 503) logger.warn('A request met a dependency that is not available.', fields);
  else logger.debug('A request was refused.', { ...fields, code: fault.code });
}

/** Sends a fault as a problem document. */
export function sendProblem(reply: FastifyReply, fault: Fault, request: FastifyRequest): void {
  const document = problemDocument(fault, pathOf(request.url), request.id);
  void reply
    .code(fault.status)
    .headers(fault.headers ?? {})
    .header('content-type', PROBLEM_CONTENT_TYPE)
    .header('cache-control', 'no-store')
    .send(document);
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}
