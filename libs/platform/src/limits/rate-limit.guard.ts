import { isIPv6 } from 'node:net';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parse } from 'ipaddr.js';
import type { AuthenticatedRequest } from '../auth/decorators';
import { principalKey } from '../auth/principal';
import { Config } from '../config/config';
import { clientOf } from '../http/client';
import { RATE_LIMITS, type RouteLimit } from './rate-limit.decorator';
import { showStandings } from './rate-limit-headers';
import { RateLimiter, type RateStanding, tooMany } from './rate-limiter';

type LimitedRequest = FastifyRequest & AuthenticatedRequest;

/** Whoever has one address of IPv6 has 2^64 of them: the network counts, not the address. */
const IPV6_NETWORK_PARTS = 4;

/** Global: holds the limits that `@RateLimit` gives a route, and tells where the caller stands in the answer's headers. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly limiter: RateLimiter,
    private readonly config: Config,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const limits = this.reflector.getAllAndOverride<readonly RouteLimit[] | undefined>(RATE_LIMITS, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (!limits) return true;
    const http = context.switchToHttp();
    const standings: RateStanding[] = [];
    for (const limit of limits) {
      const standing = await this.#take(limit, http.getRequest<LimitedRequest>());
      if (standing) standings.push(standing);
      if (standing?.taken === false) break;
    }
    showStandings(http.getResponse<FastifyReply>(), standings);
    const refused = standings.find(({ taken }) => !taken);
    if (refused) throw tooMany(refused);
    return true;
  }

  async #take(limit: RouteLimit, request: LimitedRequest): Promise<RateStanding | null> {
    const subject = subjectOf(limit, request);
    const policy = limit.by === 'ip' ? this.#scaled(limit) : limit;
    return subject === null || policy === null ? null : this.limiter.take(policy, subject);
  }

  /** Many people behind one address are the operator's to know of; the limit of an account is the same for everyone. */
  #scaled(policy: RouteLimit): RouteLimit | null {
    const { rateLimitScale } = this.config.values;
    return rateLimitScale === 0 ? null : { ...policy, limit: policy.limit * rateLimitScale };
  }
}

/** Null: the request has nothing of the kind, and what comes next will say so. */
function subjectOf({ by }: RouteLimit, request: LimitedRequest): string | null {
  if (by === 'ip') return networkOf(clientOf(request).ip);
  if (by === 'principal') return request.principal ? principalKey(request.principal) : null;
  const { body } = request;
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, by.body) : null;
  // As addresses are compared: whoever changes letter case is the same.
  return typeof value === 'string' ? value.trim().toLowerCase() : null;
}

/** What of an address tells clients apart. Requests without one (a local socket) are all counted as one client. */
export function networkOf(ip: string | null): string {
  if (ip === null || !isIPv6(ip)) return ip ?? 'unknown';
  const address = parse(ip);
  if ('isIPv4MappedAddress' in address && address.isIPv4MappedAddress())
    return address.toIPv4Address().toString();
  return `${
    'parts' in address
      ? address.parts
          .slice(0, IPV6_NETWORK_PARTS)
          .map((part) => part.toString(16))
          .join(':')
      : ip
  }::/64`;
}
