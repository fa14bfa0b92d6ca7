import { isIP } from 'node:net';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

const USER_AGENT_MAX_CHARS = 500;

/** From where a request came, as far as it can be told: kept with sessions, sign-ins and audit rows. */
export interface Client {
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** Reads the client of a request. Whether `X-Forwarded-For` is believed was decided by the server's proxy setting. */
export function clientOf(request: Pick<FastifyRequest, 'ip' | 'headers'>): Client {
  // A link-local address carries its interface (`fe80::1%eth0`), which PostgreSQL's inet does not know.
  const [address = ''] = request.ip.split('%', 1);
  return {
    ip: isIP(address) === 0 ? null : address,
    userAgent: request.headers['user-agent']?.slice(0, USER_AGENT_MAX_CHARS) || null,
  };
}

/** Handler parameter: the request's `Client`. */
export const CurrentClient = createParamDecorator((_: unknown, context: ExecutionContext): Client =>
  clientOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
