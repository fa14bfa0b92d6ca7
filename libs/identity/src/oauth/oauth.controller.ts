import { Controller, Get, Param, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  AppError,
  clientOf,
  Config,
  HtmlRoute,
  isCrossSite,
  platformErrors,
  Public,
  Recognises,
  type UserPrincipal,
  CurrentVisitor,
  RateLimit,
} from '#platform';
import { routeLimits } from '../limits';
import { codePage } from '../second-factor/second-factor-page';
import { SessionCookie } from '../sessions/session-cookie';
import { OAuthAttempts } from './oauth-attempts.service';
import { oauthStartQuery } from './oauth.dto';
import { OAuthGuard, type ReturnedRequest, returnOf } from './oauth.guard';
import { termsPage } from './oauth-pages';
import { OAuthProviders } from './oauth-providers.service';
import { OAuthSignIn } from './oauth-sign-in.service';

/** Signing in with a provider, in a browser: on the way out, and on the way back. */
@Controller('v1/auth/oauth')
export class OAuthController {
  constructor(
    private readonly config: Config,
    private readonly providers: OAuthProviders,
    private readonly attempts: OAuthAttempts,
    private readonly signIns: OAuthSignIn,
    private readonly cookie: SessionCookie,
  ) {}

  @Public()
  @Recognises()
  @Get(':provider')
  @HtmlRoute()
  @RateLimit(routeLimits.oauthPerIp)
  async start(
    @Param('provider') id: string,
    @Query({ schema: oauthStartQuery }) { link, ...wanted }: z.output<typeof oauthStartQuery>,
    @CurrentVisitor() visitor: UserPrincipal | null,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const provider = this.providers.get(id);
    const linkUserId = link ? this.#personToLink(request, visitor) : undefined;
    const secrets = this.attempts.begin(reply, provider.id, { ...wanted, linkUserId });
    const url = await provider.authorizationUrl(secrets);
    reply.code(302).header('location', url.href);
    return '';
  }

  @Public()
  @Recognises()
  @Get(':provider/callback')
  @HtmlRoute()
  @RateLimit(routeLimits.oauthPerIp)
  @UseGuards(OAuthGuard)
  async callback(
    @CurrentVisitor() visitor: UserPrincipal | null,
    @Req() request: ReturnedRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const returned = returnOf(request);
    const { attempt } = returned;
    const signedInAs = visitor?.userId ?? null;
    const result = await this.signIns.arrive({ ...returned, client: clientOf(request), signedInAs });
    const { redirectTo } = attempt;
    if (result.status === 'terms_missing') return termsPage(attempt, this.config.values.termsVersion);
    if (result.status === 'second_factor_required') {
      return codePage({ challenge: result.challenge.token, redirectTo });
    }
    if (result.status === 'signed_in') this.cookie.set(reply, result.session);
    reply.code(302).header('location', redirectTo);
    return '';
  }

  /** A page of another site must not make its visitors link an account at the provider that it has chosen. */
  #personToLink(request: FastifyRequest, visitor: UserPrincipal | null): string {
    const { headers, host } = request;
    if (isCrossSite({ method: 'POST', headers, host }, this.config.values.publicUrl)) {
      throw new AppError(platformErrors.forbidden, {
        detail: 'Another site sent you here to link an account. Do it from this site itself.',
      });
    }
    if (visitor) return visitor.userId;
    throw new AppError(platformErrors.unauthenticated, {
      detail: 'Sign in first: only then can an account at a provider be linked to yours.',
    });
  }
}
