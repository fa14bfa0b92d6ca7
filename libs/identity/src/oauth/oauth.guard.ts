import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { OAuthAttempts } from './oauth-attempts.service';
import type { OAuthReturn } from './oauth.strategy';

/** What the guard leaves on the request. */
export interface ReturnedRequest extends FastifyRequest {
  oauthReturn?: OAuthReturn;
}

/** Lets a request through that came back from a provider, by passport's `oauth` strategy. Each cookie is good for one try. */
@Injectable()
export class OAuthGuard extends AuthGuard('oauth') {
  constructor(private readonly attempts: OAuthAttempts) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    this.attempts.clear(context.switchToHttp().getResponse<FastifyReply>());
    await super.canActivate(context);
    return true;
  }

  override getAuthenticateOptions(): { readonly property: string; readonly session: boolean } {
    return { property: 'oauthReturn', session: false };
  }

  override handleRequest<T>(error: unknown, returned: T | false | null): T {
    if (error instanceof Error) throw error;
    if (returned) return returned;
    throw new Error('The strategy neither let the request through nor said why.');
  }
}

/** Who came back. Fails closed: without the guard nobody has. */
export function returnOf({ oauthReturn }: ReturnedRequest): OAuthReturn {
  if (!oauthReturn) throw new Error('A callback needs the OAuthGuard.');
  return oauthReturn;
}
