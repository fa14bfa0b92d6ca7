import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  type Access,
  CurrentAccess,
  decodeCursor,
  type Page,
  pageQuery,
  pageSchema,
  Requires,
} from '#platform';
import { type AuditOrigin, CurrentOrigin } from '../audit/audit-origin';
import { invitationsCursor } from './invitations.dto';
import {
  createdInviteLink,
  type CreatedInviteLink,
  inviteLinkView,
  type InviteLinkView,
  newInviteLink,
  type NewInviteLink,
} from './invite-links.dto';
import { InviteLinks } from './invite-links.service';

/** Links into a workspace. Making one takes no Idempotency-Key: the answer holds the link, which must not be kept. */
@ApiTags('invitations')
@Controller('v1/workspaces/:workspaceId/invite-links')
export class InviteLinksController {
  constructor(private readonly links: InviteLinks) {}

  /** Makes a link to share. It is shown this once. */
  @Post()
  @Requires('member:manage')
  @ApiResponse({ status: 201, standardSchema: createdInviteLink })
  create(
    @CurrentAccess() access: Access,
    @CurrentOrigin() origin: AuditOrigin,
    @Body({ schema: newInviteLink }) body: NewInviteLink,
  ): Promise<CreatedInviteLink> {
    return this.links.create({ access, origin }, body);
  }

  /** The links of the workspace, newest first. */
  @Get()
  @Requires('member:manage')
  @ApiResponse({ status: 200, standardSchema: pageSchema(inviteLinkView) })
  list(
    @CurrentAccess() access: Access,
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
  ): Promise<Page<InviteLinkView>> {
    const before = decodeCursor(query.cursor, invitationsCursor);
    return this.links.list(access.workspaceId, { beforeId: before?.id ?? null, limit: query.limit });
  }

  /** Takes a link back. */
  @Delete(':inviteLinkId')
  @HttpCode(204)
  @Requires('member:manage')
  @ApiResponse({ status: 204, description: 'It lets nobody in any more; who came by it stays.' })
  async revoke(
    @CurrentAccess() access: Access,
    @CurrentOrigin() origin: AuditOrigin,
    @Param('inviteLinkId', { schema: z.uuid() }) inviteLinkId: string,
  ): Promise<void> {
    await this.links.revoke({ access, origin }, inviteLinkId);
  }
}
