import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Config } from '../config/config';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import { currentRequest } from '../http/request-context';
import { isCrossSite } from './cross-site';
import { type AuthenticatedRequest, PUBLIC_ROUTE, RECOGNISING_ROUTE } from './decorators';
import { principalKey } from './principal';

/** Names under which identity registers its passport strategies. Their `validate` gives a `Principal`. */
const AUTH_STRATEGIES = ['session', 'api-key'] as const;

/**
 * Global: every route that is not `@Public` needs a principal, found by the first passport strategy that knows the
 * credentials. A session that came in a cookie is refused on changing requests from other sites (`isCrossSite`).
 */
@Injectable()
export class AuthenticationGuard extends AuthGuard([...AUTH_STRATEGIES]) {
  constructor(
    private readonly reflector: Reflector,
    private readonly config: Config,
  ) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.#says(PUBLIC_ROUTE, context) && !this.#says(RECOGNISING_ROUTE, context)) return true;
    const isKnown = await this.#authenticate(context);
    if (isKnown) this.#admit(context.switchToHttp().getRequest<FastifyRequest & AuthenticatedRequest>());
    return true;
  }

  override getAuthenticateOptions(): { readonly property: string; readonly session: boolean } {
    return { property: 'principal', session: false };
  }

  override handleRequest<T>(error: unknown, principal: T | false | null | undefined): T {
    if (error instanceof Error) throw error;
    if (!principal) throw unauthenticated();
    return principal;
  }

  #says(key: string, context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    return this.reflector.getAllAndOverride<boolean | undefined>(key, targets) === true;
  }

  /** False where nobody need have signed in, and nobody has. */
  async #authenticate(context: ExecutionContext): Promise<boolean> {
    try {
      await super.canActivate(context);
      return true;
    } catch (error) {
      const isStranger = error instanceof AppError && error.type === platformErrors.unauthenticated;
      if (isStranger && this.#says(PUBLIC_ROUTE, context)) return false;
      throw error;
    }
  }

  #admit(request: FastifyRequest & AuthenticatedRequest): void {
    const { principal } = request;
    // A strategy that passes instead of failing leaves nobody behind; that must not count as somebody.
    if (!principal) throw unauthenticated();
    if (principal.kind === 'user' && principal.via === 'cookie') this.#refuseCrossSite(request);
    const context = currentRequest();
    if (context) context.principal = principalKey(principal);
  }

  #refuseCrossSite({ method, headers, host }: FastifyRequest): void {
    if (!isCrossSite({ method, headers, host }, this.config.values.publicUrl)) return;
    throw new AppError(platformErrors.forbidden, {
      detail:
        'A page of another site sent this request with your cookie. Use this site itself, or a bearer token.',
    });
  }
}

function unauthenticated(): AppError {
  return new AppError(platformErrors.unauthenticated, {
    detail:
      'Sign in, or send an API key as "Authorization: Bearer …"; what was sent is missing, wrong or expired.',
  });
}
