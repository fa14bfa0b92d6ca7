import { Body, Controller, Get, Patch, Post, Query } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import {
  type Access,
  CurrentAccess,
  CurrentUser,
  decodeCursor,
  type IdempotencyKey,
  IdempotencyKeyOf,
  type Page,
  pageQuery,
  pageSchema,
  Requires,
  type UserPrincipal,
} from '#platform';
import { type AuditOrigin, CurrentOrigin } from '../audit/audit-origin';
import {
  newWorkspace,
  workspaceChange,
  workspacesCursor,
  workspaceView,
  type WorkspaceView,
} from './workspaces.dto';
import { WorkspaceChanges } from './workspace-changes.service';
import { Workspaces } from './workspaces.service';

@ApiTags('workspaces')
@Controller('v1/workspaces')
export class WorkspacesController {
  constructor(
    private readonly workspaces: Workspaces,
    private readonly changes: WorkspaceChanges,
  ) {}

  /** The workspaces you belong to. */
  @Get()
  @ApiResponse({ status: 200, standardSchema: pageSchema(workspaceView) })
  list(
    @CurrentUser() user: UserPrincipal,
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
  ): Promise<Page<WorkspaceView>> {
    const after = decodeCursor(query.cursor, workspacesCursor);
    return this.workspaces.listOf(user.userId, { afterId: after?.id ?? null, limit: query.limit });
  }

  /** Creates a workspace that you own. */
  @Post()
  @ApiResponse({ status: 201, standardSchema: workspaceView })
  create(
    @CurrentUser() user: UserPrincipal,
    @CurrentOrigin() origin: AuditOrigin,
    @IdempotencyKeyOf() key: IdempotencyKey | null,
    @Body({ schema: newWorkspace }) body: z.output<typeof newWorkspace>,
  ): Promise<WorkspaceView> {
    return this.workspaces.create({ ownerId: user.userId, name: body.name, origin }, key);
  }

  /** One workspace. */
  @Get(':workspaceId')
  @Requires('workspace:read')
  @ApiResponse({ status: 200, standardSchema: workspaceView })
  get(@CurrentAccess() access: Access): Promise<WorkspaceView> {
    return this.workspaces.get(access);
  }

  /** Changes name, slug or settings; what is not named stays. Links that hold an old slug lead nowhere. */
  @Patch(':workspaceId')
  @Requires('workspace:update')
  @ApiResponse({ status: 200, standardSchema: workspaceView })
  change(
    @CurrentAccess() access: Access,
    @CurrentOrigin() origin: AuditOrigin,
    @Body({ schema: workspaceChange }) body: z.output<typeof workspaceChange>,
  ): Promise<WorkspaceView> {
    return this.changes.change({ access, origin }, body);
  }
}
