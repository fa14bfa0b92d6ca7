import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import {
  type Actor,
  actorOf,
  AppError,
  type Client,
  clientOf,
  platformErrors,
  type Principal,
} from '#platform';

/** Who did something, and from where. */
export interface AuditOrigin extends Client {
  readonly actor: Actor;
}

/** What is read of a request. */
type OriginatingRequest = Pick<FastifyRequest, 'ip' | 'headers'> & { readonly principal?: Principal };

/** The origin of what a request does. Throws request.unauthenticated when nobody has signed in. */
export function originOf(request: OriginatingRequest): AuditOrigin {
  const { principal } = request;
  if (!principal)
    throw new AppError(platformErrors.unauthenticated, { detail: 'Sign in or send an API key.' });
  return { actor: actorOf(principal), ...clientOf(request) };
}

/** Handler parameter: the `AuditOrigin` of the request. */
export const CurrentOrigin = createParamDecorator((_: unknown, context: ExecutionContext): AuditOrigin =>
  originOf(context.switchToHttp().getRequest<OriginatingRequest>()),
);
