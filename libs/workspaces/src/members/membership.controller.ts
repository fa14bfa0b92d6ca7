import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { type Access, CurrentAccess, CurrentUser, Requires, type UserPrincipal } from '#platform';
import { type AuditOrigin, CurrentOrigin } from '../audit/audit-origin';
import { MemberChanges } from './member-changes.service';
import { newOwner } from './members.dto';
import { OwnershipTransfers } from './ownership-transfers.service';

/** What people do with a membership of their own. Programs have none. */
@ApiTags('workspaces')
@Controller('v1/workspaces/:workspaceId')
export class MembershipController {
  constructor(
    private readonly changes: MemberChanges,
    private readonly transfers: OwnershipTransfers,
  ) {}

  /** Ends your own membership. Whoever may look into a workspace may leave it, but for its owner. */
  @Post('leave')
  @HttpCode(204)
  @Requires('workspace:read')
  @ApiResponse({ status: 204, description: 'You are no longer a member.' })
  async leave(
    @CurrentUser() user: UserPrincipal,
    @CurrentAccess() access: Access,
    @CurrentOrigin() origin: AuditOrigin,
  ): Promise<void> {
    await this.changes.leave({ access, origin }, user.userId);
  }

  /** Makes another member the owner, and you an admin. */
  @Post('transfer')
  @HttpCode(204)
  @Requires('workspace:transfer')
  @ApiResponse({ status: 204, description: 'They own the workspace now, and you are an admin of it.' })
  async transfer(
    @CurrentUser() user: UserPrincipal,
    @CurrentAccess() access: Access,
    @CurrentOrigin() origin: AuditOrigin,
    @Body({ schema: newOwner }) body: z.output<typeof newOwner>,
  ): Promise<void> {
    const fromUserId = user.userId;
    await this.transfers.transfer({ acting: { access, origin }, fromUserId, toUserId: body.userId });
  }
}
