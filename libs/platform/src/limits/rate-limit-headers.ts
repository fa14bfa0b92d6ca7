import type { FastifyReply } from 'fastify';
import { type RateStanding, tooMany } from './rate-limiter';

/**
 * Tells a caller where it stands, by the header fields of draft-ietf-httpapi-ratelimit-headers: each policy by name, and
 * what is left of its quota. Adds to what the answer says already.
 */
export function showStandings(reply: FastifyReply, standings: readonly RateStanding[]): void {
  for (const { policy, remaining, retryAfterSeconds, resetSeconds } of standings) {
    const seconds = remaining === 0 ? retryAfterSeconds : resetSeconds;
    append(reply, 'ratelimit-policy', `"${policy.name}";q=${policy.limit};w=${policy.windowSeconds}`);
    append(reply, 'ratelimit', `"${policy.name}";r=${remaining};t=${seconds}`);
  }
}

/** Shows a standing that a service took in its own transaction; throws request.too_many when it got nothing. */
export function answerStanding(reply: FastifyReply, standing: RateStanding): void {
  showStandings(reply, [standing]);
  if (!standing.taken) throw tooMany(standing);
}

function append(reply: FastifyReply, name: string, item: string): void {
  const said = reply.getHeader(name);
  void reply.header(name, typeof said === 'string' ? `${said}, ${item}` : item);
}
