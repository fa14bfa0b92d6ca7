import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  AppError,
  type Client,
  Config,
  CurrentClient,
  fieldsOf,
  HtmlFormRoute,
  isCrossSite,
  platformErrors,
  Public,
  RateLimit,
} from '#platform';
import { identityErrors } from '../errors';
import { routeLimits } from '../limits';
import { localPathOf } from '../local-path';
import { SessionCookie } from '../sessions/session-cookie';
import { codePage, SECOND_FACTOR_PATH } from './second-factor-page';
import { SecondFactorSignIn } from './second-factor-sign-in.service';

/** The page that asks for a code, for people who sign in in their browser with a provider. */
@Controller(SECOND_FACTOR_PATH)
export class SecondFactorPageController {
  constructor(
    private readonly config: Config,
    private readonly signIns: SecondFactorSignIn,
    private readonly cookie: SessionCookie,
  ) {}

  @Public()
  @Post()
  @HtmlFormRoute()
  @RateLimit(routeLimits.secondFactorPerIp)
  async complete(
    @Body() form: unknown,
    @CurrentClient() client: Client,
    @Req() { method, headers, host }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    if (isCrossSite({ method, headers, host }, this.config.values.publicUrl)) throw foreignForm();
    const field = fieldsOf(form);
    const challenge = field('challenge');
    const redirectTo = localPathOf(field('redirectTo')) ?? '/';
    try {
      const { session } = await this.signIns.complete({ challenge, code: field('code'), client });
      this.cookie.set(reply, session);
      reply.code(303).header('location', redirectTo);
      return '';
    } catch (error) {
      if (!(error instanceof AppError) || error.type !== identityErrors.wrong_code) throw error;
      reply.code(403);
      return codePage({ challenge, redirectTo }, error.context.detail);
    }
  }
}

/** Somebody else's page would sign its visitors in to an account that is not theirs. */
function foreignForm(): AppError {
  return new AppError(platformErrors.forbidden, {
    detail: 'A page of another site sent this form. Sign in here instead.',
  });
}
