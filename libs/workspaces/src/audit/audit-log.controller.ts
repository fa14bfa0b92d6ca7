import { Controller, Get, Query } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import {
  type Access,
  CurrentAccess,
  decodeCursor,
  type Page,
  pageQuery,
  pageSchema,
  Requires,
} from '#platform';
import { auditEntryView, type AuditEntryView, auditLogCursor } from './audit-log.dto';
import { AuditLog } from './audit-log.service';

@ApiTags('workspaces')
@Controller('v1/workspaces/:workspaceId/audit-log')
export class AuditLogController {
  constructor(private readonly auditLog: AuditLog) {}

  /** Who changed what in the workspace, newest first. */
  @Get()
  @Requires('audit:read')
  @ApiResponse({ status: 200, standardSchema: pageSchema(auditEntryView) })
  list(
    @CurrentAccess() access: Access,
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
  ): Promise<Page<AuditEntryView>> {
    const before = decodeCursor(query.cursor, auditLogCursor);
    return this.auditLog.list(access.workspaceId, { beforeId: before?.id ?? null, limit: query.limit });
  }
}
