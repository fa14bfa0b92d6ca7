import { Injectable } from '@nestjs/common';
import { LessThan } from 'typeorm';
import type { Tx } from '#platform';
import { managerOf } from '#platform/orm';
import { AuditEntryEntity } from './audit-entry.entity';

/** Where a page of the log begins and how many entries it has. */
export interface AuditEntriesBefore {
  readonly beforeId: string | null;
  readonly limit: number;
}

/** Reads the audit log. */
@Injectable()
export class AuditLogRepository {
  /** Entries from the newest to the oldest. */
  list(tx: Tx, workspaceId: string, { beforeId, limit }: AuditEntriesBefore): Promise<AuditEntryEntity[]> {
    return managerOf(tx).find(AuditEntryEntity, {
      where: { workspaceId, ...(beforeId === null ? {} : { id: LessThan(beforeId) }) },
      order: { id: 'DESC' },
      take: limit,
    });
  }
}
