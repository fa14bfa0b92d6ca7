import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { type Access, CurrentAccess, decodeCursor, type Page, pageSchema, Requires } from '#platform';
import { type AuditOrigin, CurrentOrigin } from '../audit/audit-origin';
import { MemberChanges } from './member-changes.service';
import {
  memberChange,
  memberIdParam,
  membersCursor,
  membersQuery,
  memberView,
  type MemberView,
  removalQuery,
} from './members.dto';
import { Memberships } from './memberships.service';

@ApiTags('workspaces')
@Controller('v1/workspaces/:workspaceId/members')
export class MembersController {
  constructor(
    private readonly memberships: Memberships,
    private readonly changes: MemberChanges,
  ) {}

  /** The members of the workspace. */
  @Get()
  @Requires('member:read')
  @ApiResponse({ status: 200, standardSchema: pageSchema(memberView) })
  list(
    @CurrentAccess() access: Access,
    @Query({ schema: membersQuery }) query: z.output<typeof membersQuery>,
  ): Promise<Page<MemberView>> {
    const after = decodeCursor(query.cursor, membersCursor);
    const { role, limit } = query;
    return this.memberships.list(access.workspaceId, { role, limit, afterUserId: after?.userId ?? null });
  }

  /** Gives a member another role. What they handed out beyond it is taken back. */
  @Patch(':userId')
  @Requires('member:manage')
  @ApiResponse({ status: 200, standardSchema: memberView })
  changeRole(
    @CurrentAccess() access: Access,
    @CurrentOrigin() origin: AuditOrigin,
    @Param('userId', { schema: memberIdParam }) userId: string,
    @Body({ schema: memberChange }) body: z.output<typeof memberChange>,
  ): Promise<MemberView> {
    return this.changes.changeRole({ access, origin }, userId, body.role);
  }

  /** Removes a member, who is told by mail. Workflows they made stay. */
  @Delete(':userId')
  @Requires('member:manage')
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'The person is no longer a member.' })
  async remove(
    @CurrentAccess() access: Access,
    @CurrentOrigin() origin: AuditOrigin,
    @Param('userId', { schema: memberIdParam }) userId: string,
    @Query({ schema: removalQuery }) query: z.output<typeof removalQuery>,
  ): Promise<void> {
    await this.changes.remove({ access, origin }, userId, query.reason ?? null);
  }
}
