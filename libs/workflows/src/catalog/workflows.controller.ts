import { Body, Controller, Get, HttpCode, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import {
  type Access,
  type Client,
  CurrentAccess,
  CurrentClient,
  CurrentPrincipal,
  decodeCursor,
  etagOf,
  type ExpectedRevision,
  type IdempotencyKey,
  IdempotencyKeyOf,
  IfMatch,
  type Page,
  type Principal,
  Requires,
} from '#platform';
import { validateBody, type ValidationView, validationView } from './definition.dto';
import { Publishing } from './publishing.service';
import {
  draftBody,
  newWorkflow,
  workflowChange,
  workflowIdParam,
  workflowsCursor,
  workflowsPage,
  workflowsQuery,
  type WorkflowSummary,
  type WorkflowView,
  workflowView,
} from './workflows.dto';
import { Workflows } from './workflows.service';

/** Workflows and their drafts. The ETag of a workflow is the revision of its draft. */
@ApiTags('workflows')
@Controller('v1/workspaces/:workspaceId/workflows')
export class WorkflowsController {
  constructor(
    private readonly workflows: Workflows,
    private readonly publishing: Publishing,
  ) {}

  /** Creates a workflow. Its draft need not be complete; without one it is a manual trigger. */
  @Post()
  @Requires('workflow:write')
  @ApiResponse({ status: 201, standardSchema: workflowView })
  async create(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
    @IdempotencyKeyOf() key: IdempotencyKey | null,
    @Body({ schema: newWorkflow }) body: z.output<typeof newWorkflow>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowView> {
    return tagged(reply, await this.workflows.create({ access, principal, client }, body, key));
  }

  /** The workflows of the workspace, newest first, without their graphs. */
  @Get()
  @Requires('workflow:read')
  @ApiResponse({ status: 200, standardSchema: workflowsPage })
  list(
    @CurrentAccess() access: Access,
    @Query({ schema: workflowsQuery }) query: z.output<typeof workflowsQuery>,
  ): Promise<Page<WorkflowSummary>> {
    const before = decodeCursor(query.cursor, workflowsCursor);
    const { state, limit } = query;
    return this.workflows.list(access.workspaceId, { state, limit, beforeId: before?.id ?? null });
  }

  /** Says everything that keeps a definition from being published, and writes nothing. */
  @Post('validate')
  @HttpCode(200)
  @Requires('workflow:read')
  @ApiResponse({ status: 200, standardSchema: validationView })
  validate(
    @CurrentAccess() access: Access,
    @Body({ schema: validateBody }) body: z.output<typeof validateBody>,
  ): Promise<ValidationView> {
    return this.publishing.validate(access.workspaceId, body.definition);
  }

  /** One workflow with its draft. */
  @Get(':workflowId')
  @Requires('workflow:read')
  @ApiResponse({ status: 200, standardSchema: workflowView })
  async get(
    @CurrentAccess() access: Access,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowView> {
    return tagged(reply, await this.workflows.get(access, workflowId));
  }

  /** Renames a workflow. */
  @Patch(':workflowId')
  @Requires('workflow:write')
  @ApiResponse({ status: 200, standardSchema: workflowView })
  async rename(
    @CurrentAccess() access: Access,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Body({ schema: workflowChange }) body: z.output<typeof workflowChange>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowView> {
    return tagged(reply, await this.workflows.rename(access, workflowId, body.name));
  }

  /** Saves the draft, unless somebody else saved one since the revision in If-Match. It need not be complete. */
  @Put(':workflowId/draft')
  @Requires('workflow:write')
  @ApiHeader({ name: 'If-Match', required: true, description: 'The ETag you have read, or * to overwrite.' })
  @ApiResponse({ status: 200, standardSchema: workflowView })
  async saveDraft(
    @CurrentAccess() access: Access,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @IfMatch() expected: ExpectedRevision,
    @Body({ schema: draftBody }) { definition }: z.output<typeof draftBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowView> {
    return tagged(reply, await this.workflows.saveDraft(access, workflowId, { definition, expected }));
  }

  /** Keeps back the runs of a workflow: starts are accepted, and nothing begins until it is resumed. */
  @Post(':workflowId/pause')
  @HttpCode(200)
  @Requires('workflow:publish')
  @ApiResponse({ status: 200, standardSchema: workflowView })
  async pause(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowView> {
    return tagged(reply, await this.workflows.pause({ access, principal, client }, workflowId));
  }

  /** Lets the runs of a paused workflow go on, in their order. */
  @Post(':workflowId/resume')
  @HttpCode(200)
  @Requires('workflow:publish')
  @ApiResponse({ status: 200, standardSchema: workflowView })
  async resume(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowView> {
    return tagged(reply, await this.workflows.resume({ access, principal, client }, workflowId));
  }

  /** Takes a workflow out of service: it starts no more runs and frees its name. */
  @Post(':workflowId/archive')
  @HttpCode(200)
  @Requires('workflow:publish')
  @ApiResponse({ status: 200, standardSchema: workflowView })
  async archive(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowView> {
    return tagged(reply, await this.workflows.archive({ access, principal, client }, workflowId));
  }
}

function tagged(reply: FastifyReply, view: WorkflowView): WorkflowView {
  void reply.header('etag', etagOf(view.draftRevision));
  return view;
}
