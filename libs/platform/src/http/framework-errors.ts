import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { faultOf } from './fault';
import { PROBLEM_CONTENT_TYPE, problemDocument, typeOfStatus } from './problem';
import { sendProblem } from './problem.filter';

/** For requests that Fastify refuses before any route or hook, such as one with a malformed URL. */
export function answerFrameworkError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  void reply.header('x-request-id', request.id);
  sendProblem(reply, faultOf(error), request);
}

/** For bytes that are no HTTP request at all: there is no request to answer, only a socket. `requestId` is a new id. */
export function answerClientError(
  error: Error & { readonly code?: string },
  socket: Socket,
  requestId: string,
): void {
  if (socket.destroyed || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = statusOfParserError(error.code);
  const { code, title } = typeOfStatus(status);
  const fault = { status, code, title, detail: `${title}; the connection is closed.` };
  const body = JSON.stringify(problemDocument(fault, '', requestId));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\ncontent-type: ${PROBLEM_CONTENT_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function statusOfParserError(code: string | undefined): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}
