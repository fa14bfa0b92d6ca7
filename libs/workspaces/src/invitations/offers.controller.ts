import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { CurrentUser, type UserPrincipal } from '#platform';
import { type AuditOrigin, CurrentOrigin } from '../audit/audit-origin';
import { joinedWorkspace, type JoinedWorkspace, offerToken } from './offers.dto';
import { Offers } from './offers.service';

/** Answers to invitations and links, by the token that follows /i/ in them. */
@ApiTags('invitations')
@Controller('v1/invitations')
export class OffersController {
  constructor(private readonly offers: Offers) {}

  /** Joins the workspace that you are invited to, or that a link leads to. */
  @Post('accept')
  @HttpCode(200)
  @ApiResponse({ status: 200, standardSchema: joinedWorkspace })
  accept(
    @CurrentUser() { userId }: UserPrincipal,
    @CurrentOrigin() origin: AuditOrigin,
    @Body({ schema: offerToken }) { token }: z.output<typeof offerToken>,
  ): Promise<JoinedWorkspace> {
    return this.offers.accept({ token }, { userId, origin });
  }

  /** Declines an invitation. */
  @Post('decline')
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'The invitation is over.' })
  async decline(
    @CurrentUser() { userId }: UserPrincipal,
    @CurrentOrigin() origin: AuditOrigin,
    @Body({ schema: offerToken }) { token }: z.output<typeof offerToken>,
  ): Promise<void> {
    await this.offers.decline({ token }, { userId, origin });
  }
}
