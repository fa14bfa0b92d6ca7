import { Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import {
  type Access,
  CurrentAccess,
  CurrentUser,
  decodeCursor,
  type Page,
  pageQuery,
  pageSchema,
  Requires,
  type UserPrincipal,
} from '#platform';
import { type AuditOrigin, CurrentOrigin } from '../audit/audit-origin';
import { workspaceView, type WorkspaceView } from '../workspace/workspaces.dto';
import {
  deletedWorkspaceIdParam,
  deletedWorkspacesCursor,
  deletedWorkspaceView,
  type DeletedWorkspaceView,
} from './deletion.dto';
import { WorkspaceDeletions } from './workspace-deletions.service';

/** The end of a workspace, and its way back. A deleted workspace is not under `/v1/workspaces`: there it is a 404. */
@ApiTags('workspaces')
@Controller('v1')
export class DeletionController {
  constructor(private readonly deletions: WorkspaceDeletions) {}

  /** Deletes a workspace. Its owner can restore it for 30 days; then it is purged with everything in it. */
  @Delete('workspaces/:workspaceId')
  @Requires('workspace:delete')
  @ApiResponse({ status: 200, standardSchema: deletedWorkspaceView })
  delete(
    @CurrentUser() user: UserPrincipal,
    @CurrentAccess() access: Access,
    @CurrentOrigin() origin: AuditOrigin,
  ): Promise<DeletedWorkspaceView> {
    return this.deletions.delete({ access, origin }, user.userId);
  }

  /** Your deleted workspaces that can be restored, and until when. */
  @Get('deleted-workspaces')
  @ApiResponse({ status: 200, standardSchema: pageSchema(deletedWorkspaceView) })
  list(
    @CurrentUser() user: UserPrincipal,
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
  ): Promise<Page<DeletedWorkspaceView>> {
    const after = decodeCursor(query.cursor, deletedWorkspacesCursor);
    return this.deletions.listOf(user.userId, { afterId: after?.id ?? null, limit: query.limit });
  }

  /** Brings a deleted workspace of yours back, with its members. Runs that were canceled stay so. */
  @Post('deleted-workspaces/:deletedWorkspaceId/restore')
  @HttpCode(200)
  @ApiResponse({ status: 200, standardSchema: workspaceView })
  restore(
    @CurrentUser() user: UserPrincipal,
    @CurrentOrigin() origin: AuditOrigin,
    @Param('deletedWorkspaceId', { schema: deletedWorkspaceIdParam }) workspaceId: string,
  ): Promise<WorkspaceView> {
    return this.deletions.restore({ workspaceId, userId: user.userId, origin });
  }
}
