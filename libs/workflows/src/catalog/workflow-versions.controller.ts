import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import {
  type Access,
  type Client,
  CurrentAccess,
  CurrentClient,
  CurrentPrincipal,
  decodeCursor,
  expectedRevisionOf,
  type Page,
  pageQuery,
  type Principal,
  Requires,
} from '#platform';
import { Publishing } from './publishing.service';
import { migrateBody, type Migrated, migratedView, migrationCursor, publishBody } from './waiting-runs.dto';
import { WaitingRuns } from './waiting-runs.service';
import {
  type Publication,
  publicationView,
  versionNumberParam,
  versionsCursor,
  workflowVersionsPage,
  type WorkflowVersionSummary,
  type WorkflowVersionView,
  workflowVersionView,
} from './workflow-versions.dto';
import { workflowIdParam } from './workflows.dto';

/** What was published. */
@ApiTags('workflows')
@Controller('v1/workspaces/:workspaceId/workflows/:workflowId')
export class WorkflowVersionsController {
  constructor(
    private readonly publishing: Publishing,
    private readonly waitingRuns: WaitingRuns,
  ) {}

  /** Publishes the draft. An unchanged draft is published already, and answered with the version there is. */
  @Post('publish')
  @Requires('workflow:publish')
  @ApiResponse({ status: 201, standardSchema: publicationView, description: 'A new version.' })
  @ApiResponse({
    status: 200,
    standardSchema: publicationView,
    description: 'The draft has not changed.',
  })
  async publish(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: publishBody }) { waitingRuns }: z.output<typeof publishBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Publication> {
    // Without the header whatever the draft holds now is meant.
    const expected = ifMatch === undefined ? 'any' : expectedRevisionOf(ifMatch);
    const { isNew, version } = await this.publishing.publish(
      { access, principal, client },
      workflowId,
      expected,
    );
    void reply.status(isNew ? 201 : 200);
    if (waitingRuns === 'stay') return version;
    return { ...version, waitingRuns: await this.waitingRuns.migrate(access.workspaceId, version, null) };
  }

  /** Lets further runs that wait go on with the published version, where what is recorded of them means the same in both. */
  @Post('versions/:number/migrate-waiting-runs')
  @HttpCode(200)
  @Requires('workflow:publish')
  @ApiResponse({ status: 200, standardSchema: migratedView })
  migrateWaitingRuns(
    @CurrentAccess() { workspaceId }: Access,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Param('number', { schema: versionNumberParam }) number: number,
    @Body({ schema: migrateBody }) { cursor }: z.output<typeof migrateBody>,
  ): Promise<Migrated> {
    const after = decodeCursor(cursor, migrationCursor);
    return this.waitingRuns.migrateTo(workspaceId, workflowId, { number, afterId: after?.id ?? null });
  }

  /** The versions, newest first, without their definitions. */
  @Get('versions')
  @Requires('workflow:read')
  @ApiResponse({ status: 200, standardSchema: workflowVersionsPage })
  list(
    @CurrentAccess() access: Access,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
  ): Promise<Page<WorkflowVersionSummary>> {
    const before = decodeCursor(query.cursor, versionsCursor);
    const page = { limit: query.limit, beforeNumber: before?.number ?? null };
    return this.publishing.list(access.workspaceId, workflowId, page);
  }

  /** One version with its definition. */
  @Get('versions/:number')
  @Requires('workflow:read')
  @ApiResponse({ status: 200, standardSchema: workflowVersionView })
  get(
    @CurrentAccess() access: Access,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Param('number', { schema: versionNumberParam }) number: number,
  ): Promise<WorkflowVersionView> {
    return this.publishing.get(access.workspaceId, workflowId, number);
  }
}
