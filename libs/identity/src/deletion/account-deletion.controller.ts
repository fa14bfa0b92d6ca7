import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import {
  AppError,
  type Client,
  CurrentClient,
  CurrentUser,
  fieldsOf,
  HtmlFormRoute,
  HtmlRoute,
  Public,
  RateLimit,
  type UserPrincipal,
} from '#platform';
import { identityErrors } from '../errors';
import { routeLimits } from '../limits';
import {
  confirmDeletionBody,
  type DeletionPreview,
  deletionPreview,
  type DeletionRequested,
  deletionRequested,
  requestDeletionBody,
} from './account-deletion.dto';
import { confirmDeletionPage, deletedPage, notDeletedPage } from './account-deletion.page';
import { AccountDeletion } from './account-deletion.service';

const INCOMPLETE = 'The link is not complete, was used already, or is older than 24 hours.';

/** Deleting the own account: a look, a mail, and the confirmation by its token, as JSON and as a page. */
@ApiTags('account')
@Controller()
export class AccountDeletionController {
  constructor(private readonly deletion: AccountDeletion) {}

  /** What deleting your account would do, and what stands in its way. */
  @Get('v1/me/deletion')
  @ApiResponse({ status: 200, standardSchema: deletionPreview })
  preview(@CurrentUser() user: UserPrincipal): Promise<DeletionPreview> {
    return this.deletion.preview(user.userId);
  }

  /** Mails you a link that deletes your account. Nothing is deleted before you follow it. */
  @Post('v1/me/deletion')
  @HttpCode(202)
  @RateLimit(routeLimits.passwordCheck, routeLimits.accountDeletion)
  @ApiResponse({ status: 202, standardSchema: deletionRequested })
  request(
    @CurrentUser() user: UserPrincipal,
    @Body({ schema: requestDeletionBody }) body: z.output<typeof requestDeletionBody>,
  ): Promise<DeletionRequested> {
    return this.deletion.request(user.userId, body.password);
  }

  /** Deletes an account by the token of the mail. */
  @Public()
  @Post('v1/auth/delete-account')
  @HttpCode(204)
  @RateLimit(routeLimits.tokenPerIp)
  @ApiResponse({ status: 204, description: 'The account and what was its alone are gone.' })
  async confirm(
    @CurrentClient() client: Client,
    @Body({ schema: confirmDeletionBody }) body: z.output<typeof confirmDeletionBody>,
  ): Promise<void> {
    await this.deletion.confirm(body.token, client);
  }

  @Public()
  @Get('delete-account')
  @HtmlRoute()
  async show(@Query('token') token: unknown): Promise<string> {
    const preview = typeof token === 'string' ? await this.deletion.previewBy(token) : null;
    return typeof token === 'string' && preview
      ? confirmDeletionPage(token, preview)
      : notDeletedPage(INCOMPLETE);
  }

  @Public()
  @Post('delete-account')
  @HtmlFormRoute()
  @RateLimit(routeLimits.tokenPerIp)
  async press(@CurrentClient() client: Client, @Body() form: unknown): Promise<string> {
    try {
      await this.deletion.confirm(fieldsOf(form)('token'), client);
      return deletedPage();
    } catch (error) {
      if (error instanceof AppError && isRefusal(error)) return notDeletedPage(error.context.detail);
      throw error;
    }
  }
}

function isRefusal({ type }: AppError): boolean {
  return type === identityErrors.deletion_invalid || type === identityErrors.account_owns_workspaces;
}
