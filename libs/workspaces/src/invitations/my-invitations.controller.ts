import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentUser, decodeCursor, type Page, pageQuery, type UserPrincipal } from '#platform';
import { type AuditOrigin, CurrentOrigin } from '../audit/audit-origin';
import { invitationsCursor } from './invitations.dto';
import { MyInvitations } from './my-invitations.service';
import { joinedWorkspace, type JoinedWorkspace, type MyInvitation, myInvitationsPage } from './offers.dto';
import { Offers } from './offers.service';

/** The invitations that wait for you, for whom the link in the mail is not at hand. Your address must be verified. */
@ApiTags('invitations')
@Controller('v1/me/invitations')
export class MyInvitationsController {
  constructor(
    private readonly mine: MyInvitations,
    private readonly offers: Offers,
  ) {}

  /** Open invitations to your address, newest first. */
  @Get()
  @ApiResponse({ status: 200, standardSchema: myInvitationsPage })
  list(
    @CurrentUser() user: UserPrincipal,
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
  ): Promise<Page<MyInvitation>> {
    const before = decodeCursor(query.cursor, invitationsCursor);
    return this.mine.list(user.userId, { beforeId: before?.id ?? null, limit: query.limit });
  }

  /** Joins the workspace that you are invited to. */
  @Post(':invitationId/accept')
  @HttpCode(200)
  @ApiResponse({ status: 200, standardSchema: joinedWorkspace })
  accept(
    @CurrentUser() { userId }: UserPrincipal,
    @CurrentOrigin() origin: AuditOrigin,
    @Param('invitationId', { schema: z.uuid() }) invitationId: string,
  ): Promise<JoinedWorkspace> {
    return this.offers.accept({ invitationId }, { userId, origin });
  }

  /** Declines an invitation. */
  @Post(':invitationId/decline')
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'The invitation is over.' })
  async decline(
    @CurrentUser() { userId }: UserPrincipal,
    @CurrentOrigin() origin: AuditOrigin,
    @Param('invitationId', { schema: z.uuid() }) invitationId: string,
  ): Promise<void> {
    await this.offers.decline({ invitationId }, { userId, origin });
  }
}
