import { Body, Controller, Get, Header, HttpCode, Post, Query } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { AppError, Public, RawBodyRoute } from '#platform';
import { identityErrors } from '../errors';
import { isSecretToken } from '../secret-token';
import { EmailVerification } from './email-verification.service';
import { verificationResult, verifyEmailBody } from './verification.dto';
import { confirmedPage, confirmPage, refusedPage } from './verification-page';

const HTML = 'text/html; charset=utf-8';
/** A form with one token in it; more is not from our page. */
const FORM_MAX_BYTES = 1_024;

/**
 * Verifies addresses: as JSON for the dashboard, and as a page for the link in the mail. Opening the link changes
 * nothing, because mail scanners open links too; the button on the page does.
 */
@ApiTags('auth')
@Controller()
export class VerificationController {
  constructor(private readonly verification: EmailVerification) {}

  @Public()
  @Post('v1/auth/verify-email')
  @HttpCode(200)
  @ApiResponse({ status: 200, standardSchema: verificationResult })
  async verify(
    @Body({ schema: verifyEmailBody }) body: z.output<typeof verifyEmailBody>,
  ): Promise<z.output<typeof verificationResult>> {
    return { email: await this.verification.verify(body.token), emailVerified: true };
  }

  @Public()
  @Get('verify-email')
  @ApiExcludeEndpoint()
  @Header('content-type', HTML)
  @Header('cache-control', 'no-store')
  @Header('referrer-policy', 'no-referrer')
  show(@Query('token') token: unknown): string {
    if (typeof token === 'string' && isSecretToken(token)) return confirmPage(token);
    return refusedPage('The link is not complete. Copy the whole link from the mail.');
  }

  /** Takes a form, which no JSON route does: the body arrives as bytes. */
  @Public()
  @Post('verify-email')
  @HttpCode(200)
  @ApiExcludeEndpoint()
  @RawBodyRoute(FORM_MAX_BYTES)
  @Header('content-type', HTML)
  @Header('cache-control', 'no-store')
  async confirm(@Body() form: unknown): Promise<string> {
    const token = Buffer.isBuffer(form) ? new URLSearchParams(form.toString('utf8')).get('token') : null;
    try {
      return confirmedPage(await this.verification.verify(token ?? ''));
    } catch (error) {
      if (error instanceof AppError && error.type === identityErrors.verification_invalid) {
        return refusedPage(error.context.detail);
      }
      throw error;
    }
  }
}
