import { isIP } from 'node:net';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { AppError, platformErrors, type Principal } from '#platform';

/** The length the column holds; longer ones are cut. */
const USER_AGENT_MAX_CHARS = 500;

/** In whose name something was done. */
export type AuditActor =
  | { readonly kind: 'user' | 'api_key'; readonly id: string }
  | { readonly kind: 'system'; readonly id: null };

/** Who did something, and from where. */
export interface AuditOrigin {
  readonly actor: AuditActor;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** What is read of a request. */
interface OriginatingRequest {
  readonly principal?: Principal;
  readonly ip?: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The origin of what a request does. Throws request.unauthenticated when nobody has signed in. */
export function originOf({ principal, ip, headers }: OriginatingRequest): AuditOrigin {
  if (!principal)
    throw new AppError(platformErrors.unauthenticated, { detail: 'Sign in or send an API key.' });
  const userAgent = headers['user-agent'];
  return {
    actor: actorOf(principal),
    ip: storableIp(ip),
    userAgent:
      typeof userAgent === 'string' && userAgent !== '' ? userAgent.slice(0, USER_AGENT_MAX_CHARS) : null,
  };
}

/** Handler parameter: the `AuditOrigin` of the request. */
export const CurrentOrigin = createParamDecorator((_: unknown, context: ExecutionContext): AuditOrigin =>
  originOf(context.switchToHttp().getRequest<OriginatingRequest>()),
);

/** The actor that a principal is in the audit log. */
export function actorOf(principal: Principal): AuditActor {
  return principal.kind === 'user'
    ? { kind: 'user', id: principal.userId }
    : { kind: 'api_key', id: principal.apiKeyId };
}

/** A link-local address carries the interface it came through (`fe80::1%eth0`), which PostgreSQL's inet refuses. */
function storableIp(ip: string | undefined): string | null {
  const [address = ''] = (ip ?? '').split('%');
  return isIP(address) === 0 ? null : address;
}
