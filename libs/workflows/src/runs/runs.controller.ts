import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  type Access,
  AppError,
  CurrentAccess,
  CurrentPrincipal,
  decodeCursor,
  type IdempotencyKey,
  IdempotencyKeyOf,
  openStream,
  type Page,
  platformErrors,
  type Principal,
  Requires,
} from '#platform';
import { workflowIdParam } from '../catalog/workflows.dto';
import { filterOf, runsQuery } from '../history/history.dto';
import { RunHistory } from '../history/run-history.service';
import { RunStreams } from './run-streams.service';
import {
  eventsQuery,
  eventsView,
  newRun,
  type NodeRunView,
  nodeRunsView,
  type NumberedEvent,
  runIdParam,
  runsCursor,
  runsPage,
  type RunSummary,
  type RunView,
  runView,
  startedRun,
} from './runs.dto';
import { Runs } from './runs.service';

/** Runs: starting, watching and stopping them. */
@ApiTags('runs')
@Controller('v1/workspaces/:workspaceId')
export class RunsController {
  constructor(
    private readonly runs: Runs,
    private readonly history: RunHistory,
    private readonly streams: RunStreams,
  ) {}

  /** Starts a run of the published version. It is durable once this answers; 200 for a repeated Idempotency-Key. */
  @Post('workflows/:workflowId/runs')
  @Requires('run:start')
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'The same key starts at most one run.',
  })
  @ApiResponse({ status: 201, standardSchema: startedRun })
  @ApiResponse({ status: 200, standardSchema: startedRun, description: 'The run this key started before.' })
  async start(
    @CurrentAccess() { workspaceId }: Access,
    @CurrentPrincipal() principal: Principal,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @IdempotencyKeyOf() key: IdempotencyKey | null,
    @Body({ schema: newRun }) body: z.output<typeof newRun>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.output<typeof startedRun>> {
    const { id, replayed } = await this.runs.startManually({ workspaceId, workflowId, principal }, body, key);
    if (!replayed) return { id, status: 'queued' };
    void reply.status(200);
    return { id, status: (await this.runs.get(workspaceId, id)).status };
  }

  /**
   * Runs of the workspace, newest first, narrowed by all that is asked for. A page examines 5,000 runs at most, so it may
   * hold fewer than `limit`, or none, with `hasMore: true`: go on with `nextCursor`. Finished runs are listed for as long as
   * the plan keeps them.
   */
  @Get('runs')
  @Requires('run:read')
  @ApiResponse({ status: 200, standardSchema: runsPage })
  list(
    @CurrentAccess() { workspaceId }: Access,
    @Query({ schema: runsQuery }) query: z.output<typeof runsQuery>,
  ): Promise<Page<RunSummary>> {
    const before = decodeCursor(query.cursor, runsCursor);
    return this.history.list(workspaceId, filterOf(query), {
      limit: query.limit,
      beforeId: before?.id ?? null,
    });
  }

  /** One run with its input and output. */
  @Get('runs/:runId')
  @Requires('run:read')
  @ApiResponse({ status: 200, standardSchema: runView })
  get(
    @CurrentAccess() { workspaceId }: Access,
    @Param('runId', { schema: runIdParam }) runId: string,
  ): Promise<RunView> {
    return this.runs.get(workspaceId, runId);
  }

  /** What each node of the run did, in the order they began. */
  @Get('runs/:runId/node-runs')
  @Requires('run:read')
  @ApiResponse({ status: 200, standardSchema: nodeRunsView })
  async nodeRuns(
    @CurrentAccess() { workspaceId }: Access,
    @Param('runId', { schema: runIdParam }) runId: string,
  ): Promise<{ readonly data: readonly NodeRunView[] }> {
    return { data: await this.runs.nodeRuns(workspaceId, runId) };
  }

  /** The run's events so far, numbered from 1 without a gap. */
  @Get('runs/:runId/events')
  @Requires('run:read')
  @ApiResponse({ status: 200, standardSchema: eventsView })
  async events(
    @CurrentAccess() { workspaceId }: Access,
    @Param('runId', { schema: runIdParam }) runId: string,
    @Query({ schema: eventsQuery }) query: z.output<typeof eventsQuery>,
  ): Promise<{ readonly data: readonly NumberedEvent[] }> {
    return { data: await this.runs.events(workspaceId, runId, query.after) };
  }

  /** The run's events as Server-Sent Events, past and to come; ends with the run. `Last-Event-ID` goes on from there. */
  @Get('runs/:runId/stream')
  @Requires('run:read')
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Number of the last event received.' })
  @ApiResponse({
    status: 200,
    description: 'A stream of events; `id` is the number, `data` a RunEvent.',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  })
  async stream(
    @CurrentAccess() { workspaceId }: Access,
    @CurrentPrincipal() principal: Principal,
    @Param('runId', { schema: runIdParam }) runId: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const after = lastSeqOf(lastEventId);
    await this.runs.get(workspaceId, runId);
    const stream = openStream(reply, { signal: this.streams.stopping });
    void this.streams.follow(stream, { principal, workspaceId, runId }, after);
  }

  /** Cancels a run; its running nodes are aborted. Repeating it changes nothing. */
  @Post('runs/:runId/cancel')
  @HttpCode(200)
  @Requires('run:cancel')
  @ApiResponse({ status: 200, standardSchema: runView })
  cancel(
    @CurrentAccess() { workspaceId }: Access,
    @Param('runId', { schema: runIdParam }) runId: string,
  ): Promise<RunView> {
    return this.runs.cancel(workspaceId, runId);
  }
}

function lastSeqOf(header: string | undefined): number {
  if (header === undefined || header === '') return 0;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  throw new AppError(platformErrors.invalid, {
    detail: `The header Last-Event-ID is "${header.slice(0, 40)}"; it must be the number of an event of this run.`,
  });
}
