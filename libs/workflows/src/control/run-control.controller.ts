import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import {
  type Access,
  CurrentAccess,
  CurrentPrincipal,
  decodeCursor,
  type IdempotencyKey,
  IdempotencyKeyOf,
  type Page,
  type Principal,
  Requires,
} from '#platform';
import { workflowIdParam } from '../catalog/workflows.dto';
import { nodeRunsView, type NodeRunView, runIdParam, startedRun } from '../runs/runs.dto';
import { Runs } from '../runs/runs.service';
import { canceledRuns, type CanceledRuns, cancelRunsBody } from './cancel-all.dto';
import { CancelAll } from './cancel-all.service';
import { type Retried, retried, retryBody } from './dead-letters.dto';
import {
  decisionBody,
  decisionsCursor,
  decisionsPage,
  decisionsQuery,
  type WaitingDecision,
} from './decisions.dto';
import { Decisions } from './decisions.service';
import { explanationView } from './explain.dto';
import type { Explanation } from './explain';
import { Explanations } from './explain.service';
import { rerunBody } from './rerun.dto';
import { Reruns } from './reruns.service';
import { Retries } from './retries.service';

/** Commands over runs beyond starting and canceling one. */
@ApiTags('runs')
@Controller('v1/workspaces/:workspaceId')
export class RunControlController {
  constructor(
    private readonly runs: Runs,
    private readonly reruns: Reruns,
    private readonly retries: Retries,
    private readonly cancelAll: CancelAll,
    private readonly decisions: Decisions,
    private readonly explanations: Explanations,
  ) {}

  /** Does a run again as a new one: whole, or from a node on. 200 for a repeated Idempotency-Key. */
  @Post('runs/:runId/rerun')
  @Requires('run:start')
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'The same key starts at most one run.',
  })
  @ApiResponse({ status: 201, standardSchema: startedRun })
  @ApiResponse({ status: 200, standardSchema: startedRun, description: 'The run this key started before.' })
  async rerun(
    @CurrentAccess() { workspaceId }: Access,
    @CurrentPrincipal() principal: Principal,
    @Param('runId', { schema: runIdParam }) runId: string,
    @IdempotencyKeyOf() key: IdempotencyKey | null,
    @Body({ schema: rerunBody }) body: z.output<typeof rerunBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.output<typeof startedRun>> {
    const { id, replayed } = await this.reruns.rerun({ workspaceId, runId, principal }, body, key);
    if (!replayed) return { id, status: 'queued' };
    void reply.status(200);
    return { id, status: (await this.runs.get(workspaceId, id)).status };
  }

  /** Requeues runs that failed, the first that failed first. It stops at the first refusal; each run is retried once. */
  @Post('runs/retry')
  @HttpCode(200)
  @Requires('run:start')
  @ApiResponse({ status: 200, standardSchema: retried })
  retry(
    @CurrentAccess() { workspaceId }: Access,
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: retryBody }) body: z.output<typeof retryBody>,
  ): Promise<Retried> {
    return this.retries.retry(workspaceId, principal, body);
  }

  /** Cancels the live runs of a workflow, and the runs that they called. */
  @Post('workflows/:workflowId/runs/cancel')
  @HttpCode(200)
  @Requires('run:cancel')
  @ApiResponse({ status: 200, standardSchema: canceledRuns })
  cancelRuns(
    @CurrentAccess() { workspaceId }: Access,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Body({ schema: cancelRunsBody }) body: z.output<typeof cancelRunsBody>,
  ): Promise<CanceledRuns> {
    return this.cancelAll.cancel(workspaceId, workflowId, body);
  }

  /** Says why a run does not go on, and what would move it. */
  @Get('runs/:runId/explain')
  @Requires('run:read')
  @ApiResponse({ status: 200, standardSchema: explanationView })
  explain(
    @CurrentAccess() { workspaceId }: Access,
    @Param('runId', { schema: runIdParam }) runId: string,
  ): Promise<Explanation> {
    return this.explanations.explain(workspaceId, runId);
  }

  /** What waits for a decision: nodes that were interrupted and may not be repeated without asking. A page counts runs. */
  @Get('decisions')
  @Requires('run:read')
  @ApiResponse({ status: 200, standardSchema: decisionsPage })
  listDecisions(
    @CurrentAccess() { workspaceId }: Access,
    @Query({ schema: decisionsQuery }) { limit, cursor }: z.output<typeof decisionsQuery>,
  ): Promise<Page<WaitingDecision>> {
    const after = decodeCursor(cursor, decisionsCursor);
    return this.decisions.list(workspaceId, { limit, afterId: after?.id ?? null });
  }

  /** Decides what becomes of a node that was interrupted. The first decision counts. Answers with the run's nodes. */
  @Post('runs/:runId/decide')
  @HttpCode(200)
  @Requires('run:decide')
  @ApiResponse({ status: 200, standardSchema: nodeRunsView })
  async decide(
    @CurrentAccess() { workspaceId }: Access,
    @CurrentPrincipal() principal: Principal,
    @Param('runId', { schema: runIdParam }) runId: string,
    @Body({ schema: decisionBody }) body: z.output<typeof decisionBody>,
  ): Promise<{ readonly data: readonly NodeRunView[] }> {
    await this.decisions.decide({ workspaceId, runId, principal }, body);
    return { data: await this.runs.nodeRuns(workspaceId, runId) };
  }
}
