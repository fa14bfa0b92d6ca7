import { Body, Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { answerStanding, AppError, fieldsOf, HtmlFormRoute, HtmlRoute, Public, RateLimit } from '#platform';
import { accepted, type Accepted, addressBody } from '../accepted.dto';
import { identityErrors } from '../errors';
import { routeLimits } from '../limits';
import { brokenLinkPage, refusedPage } from '../refused-page';
import { isSecretToken } from '../secret-token';
import { EmailVerification } from './email-verification.service';
import { verificationResult, verifyEmailBody } from './verification.dto';
import { confirmedPage, confirmPage } from './verification-page';

const REFUSALS = new Set([identityErrors.verification_invalid, identityErrors.email_taken]);

const ON_ITS_WAY: Accepted = {
  message: 'If this address has an account and is not verified yet, a mail to verify it is on its way.',
};

/**
 * Verifies addresses: as JSON for the dashboard, and as a page for the link in the mail. Opening the link changes
 * nothing, because mail scanners open links too; the button on the page does.
 */
@ApiTags('auth')
@Controller()
export class VerificationController {
  constructor(private readonly verification: EmailVerification) {}

  /** Verifies an address by the token of the mail, once. */
  @Public()
  @Post('v1/auth/verify-email')
  @HttpCode(200)
  @RateLimit(routeLimits.tokenPerIp)
  @ApiResponse({ status: 200, standardSchema: verificationResult })
  async verify(
    @Body({ schema: verifyEmailBody }) body: z.output<typeof verifyEmailBody>,
  ): Promise<z.output<typeof verificationResult>> {
    return { email: await this.verification.verify(body.token), emailVerified: true };
  }

  /** Mails the token again, if there is something to verify; the answer does not say. */
  @Public()
  @Post('v1/auth/resend-verification')
  @HttpCode(202)
  @RateLimit(routeLimits.mailPerIp)
  @ApiResponse({ status: 202, standardSchema: accepted })
  async resend(
    @Body({ schema: addressBody }) { email }: z.output<typeof addressBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Accepted> {
    answerStanding(reply, await this.verification.resend(email));
    return ON_ITS_WAY;
  }

  @Public()
  @Get('verify-email')
  @HtmlRoute()
  show(@Query('token') token: unknown): string {
    return typeof token === 'string' && isSecretToken(token) ? confirmPage(token) : brokenLinkPage();
  }

  @Public()
  @Post('verify-email')
  @HtmlFormRoute()
  @RateLimit(routeLimits.tokenPerIp)
  async confirm(@Body() form: unknown): Promise<string> {
    try {
      return confirmedPage(await this.verification.verify(fieldsOf(form)('token')));
    } catch (error) {
      if (error instanceof AppError && REFUSALS.has(error.type)) return refusedPage(error.context.detail);
      throw error;
    }
  }
}
