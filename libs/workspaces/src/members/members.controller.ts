import { Controller, Get, Query } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import {
  type Access,
  CurrentAccess,
  decodeCursor,
  type Page,
  pageQuery,
  pageSchema,
  Requires,
} from '#platform';
import { membersCursor, memberView, type MemberView } from './members.dto';
import { Memberships } from './memberships.service';

@ApiTags('workspaces')
@Controller('v1/workspaces/:workspaceId/members')
export class MembersController {
  constructor(private readonly memberships: Memberships) {}

  /** The members of the workspace. */
  @Get()
  @Requires('member:read')
  @ApiResponse({ status: 200, standardSchema: pageSchema(memberView) })
  list(
    @CurrentAccess() access: Access,
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
  ): Promise<Page<MemberView>> {
    const after = decodeCursor(query.cursor, membersCursor);
    return this.memberships.list(access.workspaceId, {
      afterUserId: after?.userId ?? null,
      limit: query.limit,
    });
  }
}
