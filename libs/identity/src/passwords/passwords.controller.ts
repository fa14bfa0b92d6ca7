import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { answerStanding, CurrentUser, Public, RateLimit, type UserPrincipal } from '#platform';
import { accepted, type Accepted, addressBody } from '../accepted.dto';
import { routeLimits } from '../limits';
import { PasswordReset } from './password-reset.service';
import {
  type ChangePassword,
  changePasswordBody,
  type ResetPassword,
  resetPasswordBody,
} from './passwords.dto';
import { Passwords } from './passwords.service';

const ON_ITS_WAY: Accepted = {
  message:
    'If there is an account with this address, a mail with a link to choose a new password is on its way.',
};

/** Passwords: forgotten ones and changed ones. */
@ApiTags('auth')
@Controller('v1')
export class PasswordsController {
  constructor(
    private readonly resets: PasswordReset,
    private readonly passwords: Passwords,
  ) {}

  /** Mails a link to choose a new password, if there is such an account; the answer does not say. */
  @Public()
  @Post('auth/forgot-password')
  @HttpCode(202)
  @RateLimit(routeLimits.mailPerIp)
  @ApiResponse({ status: 202, standardSchema: accepted })
  async forgot(
    @Body({ schema: addressBody }) { email }: z.output<typeof addressBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Accepted> {
    answerStanding(reply, await this.resets.ask(email));
    return ON_ITS_WAY;
  }

  /** Sets a new password by the token of the mail, once. All sessions end. */
  @Public()
  @Post('auth/reset-password')
  @HttpCode(204)
  @RateLimit(routeLimits.tokenPerIp)
  @ApiResponse({ status: 204, description: 'The password is changed and all sessions are over.' })
  async reset(@Body({ schema: resetPasswordBody }) body: ResetPassword): Promise<void> {
    await this.resets.reset(body);
  }

  /** Changes one's own password. All other sessions end. */
  @Post('me/password')
  @HttpCode(204)
  @RateLimit(routeLimits.passwordCheck)
  @ApiResponse({ status: 204, description: 'The password is changed and all other sessions are over.' })
  async change(
    @CurrentUser() user: UserPrincipal,
    @Body({ schema: changePasswordBody }) body: ChangePassword,
  ): Promise<void> {
    await this.passwords.change(user, body);
  }
}
