import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { AppError, fieldsOf, HtmlFormRoute, HtmlRoute, platformErrors, Public, RateLimit } from '#platform';
import { identityErrors } from '../errors';
import { routeLimits } from '../limits';
import { brokenLinkPage, refusedPage } from '../refused-page';
import { isSecretToken } from '../secret-token';
import { PasswordReset } from './password-reset.service';
import { resetPasswordBody } from './passwords.dto';
import { resetDonePage, resetPage } from './reset-page';

/** The page of the mailed link. Opening it changes nothing, because mail scanners open links too; its form does. */
@Public()
@Controller('reset-password')
export class ResetPageController {
  constructor(private readonly resets: PasswordReset) {}

  @Get()
  @HtmlRoute()
  show(@Query('token') token: unknown): string {
    return typeof token === 'string' && isSecretToken(token) ? resetPage(token) : brokenLinkPage();
  }

  @Post()
  @HtmlFormRoute()
  @RateLimit(routeLimits.tokenPerIp)
  async reset(@Body() form: unknown): Promise<string> {
    const field = fieldsOf(form);
    const token = field('token');
    const body = resetPasswordBody.safeParse({ token, password: field('password') });
    if (!isSecretToken(token)) return brokenLinkPage();
    if (!body.success) return resetPage(token, `The password ${body.error.issues[0]?.message}.`);
    try {
      await this.resets.reset(body.data);
      return resetDonePage();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.type === identityErrors.reset_invalid) return refusedPage(error.context.detail);
      if (error.type === platformErrors.invalid) return resetPage(token, error.context.detail);
      throw error;
    }
  }
}
