import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
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
import { runIdParam } from '../runs/runs.dto';
import {
  deadLettersCursor,
  deadLettersPage,
  deadLettersQuery,
  type DeadLetterSummary,
  deadLetterView,
  type DeadLetterView,
  requeueBody,
  requeuedRun,
} from './dead-letters.dto';
import { DeadLetters } from './dead-letters.service';

/** What is kept of runs that failed. */
@ApiTags('dead letters')
@Controller('v1/workspaces/:workspaceId/dead-letters')
export class DeadLettersController {
  constructor(private readonly letters: DeadLetters) {}

  /** Runs that failed, the last first, with what became of each. They are kept when the run's history is gone. */
  @Get()
  @Requires('run:read')
  @ApiResponse({ status: 200, standardSchema: deadLettersPage })
  list(
    @CurrentAccess() { workspaceId }: Access,
    @Query({ schema: deadLettersQuery }) query: z.output<typeof deadLettersQuery>,
  ): Promise<Page<DeadLetterSummary>> {
    return this.letters.list(workspaceId, query, decodeCursor(query.cursor, deadLettersCursor));
  }

  /** One dead letter with the input of its run. */
  @Get(':runId')
  @Requires('run:read')
  @ApiResponse({ status: 200, standardSchema: deadLetterView })
  get(
    @CurrentAccess() { workspaceId }: Access,
    @Param('runId', { schema: runIdParam }) runId: string,
  ): Promise<DeadLetterView> {
    return this.letters.get(workspaceId, runId);
  }

  /** Starts the run again with its input. A letter gives one run: 200 for the one that it was requeued as before. */
  @Post(':runId/requeue')
  @Requires('run:start')
  @ApiResponse({ status: 201, standardSchema: requeuedRun })
  @ApiResponse({ status: 200, standardSchema: requeuedRun, description: 'It was requeued before.' })
  async requeue(
    @CurrentAccess() { workspaceId }: Access,
    @CurrentPrincipal() principal: Principal,
    @Param('runId', { schema: runIdParam }) runId: string,
    @Body({ schema: requeueBody }) { version }: z.output<typeof requeueBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.output<typeof requeuedRun>> {
    const { id, replayed } = await this.letters.requeue({ workspaceId, runId, principal }, version);
    if (replayed) void reply.status(200);
    return { id };
  }

  /** Settles a dead letter without a run. Repeating it changes nothing. */
  @Post(':runId/discard')
  @HttpCode(200)
  @Requires('run:discard')
  @ApiResponse({ status: 200, standardSchema: deadLetterView })
  discard(
    @CurrentAccess() { workspaceId }: Access,
    @CurrentPrincipal() principal: Principal,
    @Param('runId', { schema: runIdParam }) runId: string,
  ): Promise<DeadLetterView> {
    return this.letters.discard({ workspaceId, runId, principal });
  }
}
