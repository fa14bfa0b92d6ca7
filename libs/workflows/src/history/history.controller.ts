import { Readable } from 'node:stream';
import { Controller, Get, Headers, Param, Res, StreamableFile } from '@nestjs/common';
import { ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  type Access,
  CurrentAccess,
  CurrentPrincipal,
  Lifecycle,
  LiveAccess,
  openStream,
  type Principal,
  Requires,
} from '#platform';
import { runIdParam } from '../runs/runs.dto';
import { type HistoryUsage, historyUsage, HistoryUsages } from './history-usage.service';
import { runDocument, RunDownloads } from './run-download.service';
import { WorkspaceStreams } from './workspace-streams.service';

/** What is kept of runs, as a whole. */
@ApiTags('runs')
@Controller('v1/workspaces/:workspaceId')
export class HistoryController {
  constructor(
    private readonly downloads: RunDownloads,
    private readonly usages: HistoryUsages,
    private readonly streams: WorkspaceStreams,
    private readonly liveAccess: LiveAccess,
    private readonly lifecycle: Lifecycle,
  ) {}

  /**
   * The events of all runs of the workspace as Server-Sent Events, from now on. `Last-Event-ID` goes on behind an event for
   * an hour (410 `stream.expired` after that). Runs come mixed, each run's events in the order of their numbers, and none
   * is left out or told twice.
   */
  @Get('runs/stream')
  @Requires('run:read')
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'The id of the last event received.' })
  @ApiResponse({
    status: 200,
    description: 'A stream of events; `data` is a RunEvent with its `runId`.',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  })
  async stream(
    @CurrentAccess() { workspaceId }: Access,
    @CurrentPrincipal() principal: Principal,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const from = await this.streams.position(workspaceId, lastEventId);
    const stream = openStream(reply, { signal: this.lifecycle.stopping });
    void this.streams.follow(stream, { principal, workspaceId }, from);
  }

  /** The run as one JSON document: itself, the definition it was pinned to, what its nodes did, and its events. */
  @Get('runs/:runId/download')
  @Requires('run:read')
  @ApiResponse({ status: 200, standardSchema: runDocument })
  async download(
    @CurrentAccess() { workspaceId }: Access,
    @CurrentPrincipal() principal: Principal,
    @Param('runId', { schema: runIdParam }) runId: string,
  ): Promise<StreamableFile> {
    const stillAllowed = () => this.liveAccess.permits(principal, workspaceId, 'run:read');
    const pieces = await this.downloads.document({ workspaceId, runId, stillAllowed });
    return new StreamableFile(Readable.from(pieces), {
      type: 'application/json; charset=utf-8',
      disposition: `attachment; filename="run-${runId}.json"`,
    });
  }

  /** What the workspace's history takes up, how much its plan stores, and how far back it reaches. */
  @Get('usage/history')
  @Requires('run:read')
  @ApiResponse({ status: 200, standardSchema: historyUsage })
  usage(@CurrentAccess() { workspaceId }: Access): Promise<HistoryUsage> {
    return this.usages.of(workspaceId);
  }
}
