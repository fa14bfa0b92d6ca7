import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Logger } from '../log/logger';
import { faultOf } from './fault';
import { htmlPage, PAGE_HEADERS } from './html-page';
import { logFault } from './problem.filter';

/** For routes that people meet in their browser: whatever was thrown becomes a page, with the status it always has. */
@Catch()
export class ProblemPageFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger.scoped('http');
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const fault = faultOf(thrown);
    logFault(this.#logger, { fault, thrown, request: http.getRequest<FastifyRequest>() });
    void http
      .getResponse<FastifyReply>()
      .code(fault.status)
      .headers({ ...fault.headers, ...PAGE_HEADERS })
      .send(htmlPage({ title: fault.title, paragraphs: [fault.detail] }));
  }
}
