import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  type Access,
  CurrentAccess,
  decodeCursor,
  type IdempotencyKey,
  IdempotencyKeyOf,
  type Page,
  pageSchema,
  RateLimit,
  Requires,
} from '#platform';
import { type AuditOrigin, CurrentOrigin } from '../audit/audit-origin';
import {
  invitationsCursor,
  invitationsQuery,
  invitationView,
  type InvitationView,
  newInvitation,
  type NewInvitation,
} from './invitations.dto';
import { Invitations } from './invitations.service';

const DAY_SECONDS = 24 * 60 * 60;

/** Beside the limits of the workspace and of each invitation: nobody gets a way to mail the world by making workspaces. */
const MailLimit = () =>
  RateLimit(
    { name: 'invitation-mails-ip', limit: 120, windowSeconds: DAY_SECONDS, by: 'ip' },
    { name: 'invitation-mails', limit: 60, windowSeconds: DAY_SECONDS, by: 'principal' },
  );

/** Invitations of a workspace to addresses. */
@ApiTags('invitations')
@Controller('v1/workspaces/:workspaceId/invitations')
export class InvitationsController {
  constructor(private readonly invitations: Invitations) {}

  /** Invites an address by mail. An open invitation to it is replaced. */
  @Post()
  @MailLimit()
  @Requires('member:manage')
  @ApiResponse({ status: 201, standardSchema: invitationView })
  create(
    @CurrentAccess() access: Access,
    @CurrentOrigin() origin: AuditOrigin,
    @IdempotencyKeyOf() key: IdempotencyKey | null,
    @Body({ schema: newInvitation }) body: NewInvitation,
  ): Promise<InvitationView> {
    return this.invitations.invite({ access, origin }, body, key);
  }

  /** The invitations of the workspace, newest first, of one state or of all. */
  @Get()
  @Requires('member:manage')
  @ApiResponse({ status: 200, standardSchema: pageSchema(invitationView) })
  list(
    @CurrentAccess() access: Access,
    @Query({ schema: invitationsQuery }) query: z.output<typeof invitationsQuery>,
  ): Promise<Page<InvitationView>> {
    const before = decodeCursor(query.cursor, invitationsCursor);
    const { limit, state = null } = query;
    return this.invitations.list(access.workspaceId, { beforeId: before?.id ?? null, limit, state });
  }

  /** One invitation. */
  @Get(':invitationId')
  @Requires('member:manage')
  @ApiResponse({ status: 200, standardSchema: invitationView })
  get(
    @CurrentAccess() access: Access,
    @Param('invitationId', { schema: z.uuid() }) invitationId: string,
  ): Promise<InvitationView> {
    return this.invitations.get(access.workspaceId, invitationId);
  }

  /** Mails an open invitation again, with a new link and as much time as before. The former link is dead. */
  @Post(':invitationId/resend')
  @HttpCode(200)
  @MailLimit()
  @Requires('member:manage')
  @ApiResponse({ status: 200, standardSchema: invitationView })
  resend(
    @CurrentAccess() access: Access,
    @CurrentOrigin() origin: AuditOrigin,
    @Param('invitationId', { schema: z.uuid() }) invitationId: string,
  ): Promise<InvitationView> {
    return this.invitations.resend({ access, origin }, invitationId);
  }

  /** Takes an open invitation back. */
  @Delete(':invitationId')
  @HttpCode(204)
  @Requires('member:manage')
  @ApiResponse({ status: 204, description: 'The link in its mail is worth nothing any more.' })
  async revoke(
    @CurrentAccess() access: Access,
    @CurrentOrigin() origin: AuditOrigin,
    @Param('invitationId', { schema: z.uuid() }) invitationId: string,
  ): Promise<void> {
    await this.invitations.revoke({ access, origin }, invitationId);
  }
}
