import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
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
  type IdempotencyKey,
  IdempotencyKeyOf,
  type Page,
  type Principal,
  Requires,
} from '#platform';
import {
  type Fire,
  firedRun,
  firesCursor,
  firesPage,
  firesQuery,
  pauseBody,
  scheduleIdParam,
  schedulesCursor,
  schedulesPage,
  schedulesQuery,
  type ScheduleSummary,
  scheduleView,
  type ScheduleView,
} from './schedules.dto';
import { Schedules } from './schedules.service';

/** Schedules of published workflows. When they fire is said by their nodes; here they are watched and steered. */
@ApiTags('schedules')
@Controller('v1/workspaces/:workspaceId/schedules')
export class SchedulesController {
  constructor(private readonly schedules: Schedules) {}

  /** Schedules of the workspace in the order in which they were made. */
  @Get()
  @Requires('workflow:read')
  @ApiResponse({ status: 200, standardSchema: schedulesPage })
  list(
    @CurrentAccess() { workspaceId }: Access,
    @Query({ schema: schedulesQuery }) query: z.output<typeof schedulesQuery>,
  ): Promise<Page<ScheduleSummary>> {
    return this.schedules.list(workspaceId, query, decodeCursor(query.cursor, schedulesCursor)?.id ?? null);
  }

  /** One schedule with its next occurrences. */
  @Get(':scheduleId')
  @Requires('workflow:read')
  @ApiResponse({ status: 200, standardSchema: scheduleView })
  get(
    @CurrentAccess() { workspaceId }: Access,
    @Param('scheduleId', { schema: scheduleIdParam }) id: string,
  ): Promise<ScheduleView> {
    return this.schedules.get(workspaceId, id);
  }

  /** What became of each of its occurrences, the last due first. Kept for ninety days. */
  @Get(':scheduleId/fires')
  @Requires('run:read')
  @ApiResponse({ status: 200, standardSchema: firesPage })
  fires(
    @CurrentAccess() { workspaceId }: Access,
    @Param('scheduleId', { schema: scheduleIdParam }) id: string,
    @Query({ schema: firesQuery }) { limit, cursor }: z.output<typeof firesQuery>,
  ): Promise<Page<Fire>> {
    const before = decodeCursor(cursor, firesCursor)?.dueAt ?? null;
    return this.schedules.fires({ workspaceId, id }, { before, limit });
  }

  /** Stops a schedule, for good or until an instant. Occurrences that fall into a pause are passed over. */
  @Post(':scheduleId/pause')
  @HttpCode(200)
  @Requires('workflow:publish')
  @ApiResponse({ status: 200, standardSchema: scheduleView })
  pause(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
    @Param('scheduleId', { schema: scheduleIdParam }) id: string,
    @Body({ schema: pauseBody }) { until }: z.output<typeof pauseBody>,
  ): Promise<ScheduleView> {
    return this.schedules.pause({ access, principal, client }, id, until ?? null);
  }

  /** Lets a paused schedule go on with its next occurrence from now. Failures before now are forgiven. */
  @Post(':scheduleId/resume')
  @HttpCode(200)
  @Requires('workflow:publish')
  @ApiResponse({ status: 200, standardSchema: scheduleView })
  resume(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
    @Param('scheduleId', { schema: scheduleIdParam }) id: string,
  ): Promise<ScheduleView> {
    return this.schedules.resume({ access, principal, client }, id);
  }

  /**
   * Starts a run now, beside what the schedule does by itself: its pause, its overlap policy and the number of its runs do
   * not count. 200 for a repeated Idempotency-Key.
   */
  @Post(':scheduleId/fire')
  @Requires('run:start')
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'The same key starts at most one run.',
  })
  @ApiResponse({ status: 201, standardSchema: firedRun })
  @ApiResponse({ status: 200, standardSchema: firedRun, description: 'The run this key started before.' })
  async fire(
    @CurrentAccess() { workspaceId }: Access,
    @CurrentPrincipal() principal: Principal,
    @Param('scheduleId', { schema: scheduleIdParam }) id: string,
    @IdempotencyKeyOf() key: IdempotencyKey | null,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.output<typeof firedRun>> {
    const { id: runId, replayed } = await this.schedules.fire({ workspaceId, id, principal }, key);
    if (replayed) void reply.status(200);
    return { runId };
  }
}
