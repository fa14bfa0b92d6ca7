import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import {
  type Access,
  CurrentAccess,
  CurrentPrincipal,
  decodeCursor,
  type Page,
  type Principal,
  Requires,
} from '#platform';
import {
  approvalIdParam,
  approvalsCursor,
  approvalsPage,
  approvalsQuery,
  type ApprovalView,
  approvalView,
  newVote,
} from './approvals.dto';
import { Approvals } from './approvals.service';

/** What runs ask of people. */
@ApiTags('approvals')
@Controller('v1/workspaces/:workspaceId/approvals')
export class ApprovalsController {
  constructor(private readonly approvals: Approvals) {}

  /** Approvals that wait for an answer, newest first. */
  @Get()
  @Requires('run:read')
  @ApiResponse({ status: 200, standardSchema: approvalsPage })
  list(
    @CurrentAccess() { workspaceId }: Access,
    @Query({ schema: approvalsQuery }) { cursor, limit }: z.output<typeof approvalsQuery>,
  ): Promise<Page<ApprovalView>> {
    const before = decodeCursor(cursor, approvalsCursor);
    return this.approvals.list(workspaceId, { beforeId: before?.id ?? null, limit });
  }

  /** One approval with its answers, also after it was decided. */
  @Get(':approvalId')
  @Requires('run:read')
  @ApiResponse({ status: 200, standardSchema: approvalView })
  get(
    @CurrentAccess() { workspaceId }: Access,
    @Param('approvalId', { schema: approvalIdParam }) approvalId: string,
  ): Promise<ApprovalView> {
    return this.approvals.get(workspaceId, approvalId);
  }

  /** Answers an approval, once per person. The quorum, or the first who rejects, lets the run go on. */
  @Post(':approvalId/votes')
  @HttpCode(200)
  @Requires('run:decide')
  @ApiResponse({ status: 200, standardSchema: approvalView })
  vote(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @Param('approvalId', { schema: approvalIdParam }) approvalId: string,
    @Body({ schema: newVote }) vote: z.output<typeof newVote>,
  ): Promise<ApprovalView> {
    return this.approvals.vote(access, principal, { approvalId, vote });
  }
}
