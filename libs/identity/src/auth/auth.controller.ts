import { Body, Controller, HttpCode, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { type Client, CurrentClient, CurrentUser, Public, RateLimit, type UserPrincipal } from '#platform';
import { routeLimits } from '../limits';
import { SessionCookie } from '../sessions/session-cookie';
import { Sessions } from '../sessions/sessions.service';
import { signUpBody, type SignUpInput } from '../users/sign-up.dto';
import { SignUp } from '../users/sign-up.service';
import {
  type SignedIn,
  signedIn,
  signInBody,
  type SignInAnswer,
  signInAnswer,
  toSignedIn,
  toSignInAnswer,
} from './auth.dto';
import { checkedUserOf, SignInGuard, type SignInRequest } from './sign-in.guard';
import { SignIn } from './sign-in.service';

/** Signing up, in and out. */
@ApiTags('auth')
@Controller('v1/auth')
export class AuthController {
  constructor(
    private readonly signUps: SignUp,
    private readonly signIns: SignIn,
    private readonly sessions: Sessions,
    private readonly cookie: SessionCookie,
  ) {}

  /** Makes an account and signs it in. */
  @Public()
  @Post('sign-up')
  @RateLimit(routeLimits.signUpPerIp, routeLimits.signUp)
  @ApiResponse({ status: 201, standardSchema: signedIn })
  async signUp(
    @Body({ schema: signUpBody }) body: SignUpInput,
    @CurrentClient() client: Client,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignedIn> {
    const { user, session } = await this.signUps.signUp(body, client);
    this.cookie.set(reply, session);
    return toSignedIn(user, session);
  }

  /** Signs in by e-mail address and password. */
  @Public()
  @Post('sign-in')
  @RateLimit(routeLimits.signInPerIp, routeLimits.signIn)
  @HttpCode(200)
  @UseGuards(SignInGuard)
  @ApiResponse({ status: 200, standardSchema: signInAnswer })
  async signIn(
    @Body({ schema: signInBody }) body: z.output<typeof signInBody>,
    @CurrentClient() client: Client,
    @Req() request: SignInRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignInAnswer> {
    const result = await this.signIns.signIn({
      ...checkedUserOf(request),
      method: 'password',
      remember: body.rememberMe,
      client,
    });
    if (result.status === 'signed_in') this.cookie.set(reply, result.session);
    return toSignInAnswer(result);
  }

  /** Ends the session that the request is made with. */
  @Post('sign-out')
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'The session is over; its token is worth nothing any more.' })
  async signOut(
    @CurrentUser() user: UserPrincipal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.sessions.end(user.userId, user.sessionId);
    this.cookie.clear(reply);
  }
}
