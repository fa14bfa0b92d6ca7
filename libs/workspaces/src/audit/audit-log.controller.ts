import { Readable } from 'node:stream';
import { Controller, Get, Query, StreamableFile } from '@nestjs/common';
import { ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import {
  type Access,
  CurrentAccess,
  CurrentPrincipal,
  decodeCursor,
  LiveAccess,
  type Page,
  pageSchema,
  type Principal,
  Requires,
} from '#platform';
import { AuditExports } from './audit-exports.service';
import {
  auditEntryView,
  type AuditEntryView,
  auditExportQuery,
  auditLogCursor,
  auditLogQuery,
} from './audit-log.dto';
import { AuditLog } from './audit-log.service';
import { type AuditOrigin, CurrentOrigin } from './audit-origin';

@ApiTags('workspaces')
@Controller('v1/workspaces/:workspaceId/audit-log')
export class AuditLogController {
  constructor(
    private readonly auditLog: AuditLog,
    private readonly exports: AuditExports,
    private readonly liveAccess: LiveAccess,
  ) {}

  /** Who changed what in the workspace, newest first, narrowed by who, what, to whom and when. */
  @Get()
  @Requires('audit:read')
  @ApiResponse({ status: 200, standardSchema: pageSchema(auditEntryView) })
  list(
    @CurrentAccess() access: Access,
    @Query({ schema: auditLogQuery }) query: z.output<typeof auditLogQuery>,
  ): Promise<Page<AuditEntryView>> {
    const { cursor, ...wanted } = query;
    const before = decodeCursor(cursor, auditLogCursor);
    return this.auditLog.list(access.workspaceId, { ...wanted, beforeId: before?.id ?? null });
  }

  /** The same lines as a CSV file, all of them. */
  @Get('export')
  @Requires('audit:read')
  @ApiProduces('text/csv')
  @ApiResponse({
    status: 200,
    schema: { type: 'string' },
    description: 'A line for each entry, after a header.',
  })
  async export(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentOrigin() origin: AuditOrigin,
    @Query({ schema: auditExportQuery }) query: z.output<typeof auditExportQuery>,
  ): Promise<StreamableFile> {
    const stillAllowed = () => this.liveAccess.permits(principal, access.workspaceId, 'audit:read');
    const pieces = await this.exports.export({ access, origin }, query, stillAllowed);
    return new StreamableFile(Readable.from(pieces), {
      type: 'text/csv; charset=utf-8',
      disposition: `attachment; filename="audit-log-${access.workspaceId}.csv"`,
    });
  }
}
