import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { type Client, CurrentClient, Public, RateLimit } from '#platform';
import { type SignedIn, signedIn, toSignedIn } from '../auth/auth.dto';
import { routeLimits } from '../limits';
import { SessionCookie } from '../sessions/session-cookie';
import { secondFactorSignInBody } from './second-factor.dto';
import { SecondFactorSignIn } from './second-factor-sign-in.service';

/** The second half of signing in. */
@ApiTags('auth')
@Controller('v1/auth/sign-in')
export class SecondFactorSignInController {
  constructor(
    private readonly signIns: SecondFactorSignIn,
    private readonly cookie: SessionCookie,
  ) {}

  /** Completes a sign-in that answered `second_factor_required`. A wrong code leaves the challenge as it was. */
  @Public()
  @Post('second-factor')
  @HttpCode(200)
  @RateLimit(routeLimits.secondFactorPerIp)
  @ApiResponse({ status: 200, standardSchema: signedIn })
  async complete(
    @Body({ schema: secondFactorSignInBody }) body: z.output<typeof secondFactorSignInBody>,
    @CurrentClient() client: Client,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignedIn> {
    const { user, session } = await this.signIns.complete({ ...body, client });
    this.cookie.set(reply, session);
    return toSignedIn(user, session);
  }
}
