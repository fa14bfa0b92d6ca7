import { Injectable } from '@nestjs/common';
import { And, type FindOptionsWhere, LessThan, MoreThanOrEqual } from 'typeorm';
import type { Tx } from '#platform';
import { managerOf } from '#platform/orm';
import { AuditEntryEntity } from './audit-entry.entity';
import type { AuditFilter } from './audit-log.dto';

/** Which entries of the log are wanted, where their page begins, and how many it has. */
export interface AuditEntriesBefore extends AuditFilter {
  readonly beforeId: string | null;
  readonly limit: number;
}

/** Reads the audit log. */
@Injectable()
export class AuditLogRepository {
  /** Entries from the newest to the oldest. Each filter by who, what and to whom has an index in this order. */
  list(tx: Tx, workspaceId: string, page: AuditEntriesBefore): Promise<AuditEntryEntity[]> {
    return managerOf(tx).find(AuditEntryEntity, {
      where: { workspaceId, ...wanted(page) },
      order: { id: 'DESC' },
      take: page.limit,
    });
  }
}

function wanted(page: AuditEntriesBefore): FindOptionsWhere<AuditEntryEntity> {
  const { beforeId, actorId, action, targetKind, targetId, from, to } = page;
  const ids = [
    ...(beforeId === null ? [] : [LessThan(beforeId)]),
    ...(from === undefined ? [] : [MoreThanOrEqual(idAt(from, -DAY_MS))]),
    ...(to === undefined ? [] : [LessThan(idAt(to, DAY_MS))]),
  ];
  const instants = [
    ...(from === undefined ? [] : [MoreThanOrEqual(new Date(from))]),
    ...(to === undefined ? [] : [LessThan(new Date(to))]),
  ];
  return {
    ...(ids.length === 0 ? {} : { id: And(...ids) }),
    ...(instants.length === 0 ? {} : { at: And(...instants) }),
    ...(actorId === undefined ? {} : { actorId }),
    ...(action === undefined ? {} : { action }),
    ...(targetKind === undefined ? {} : { targetKind }),
    ...(targetId === undefined ? {} : { targetId }),
  };
}

const DAY_MS = 24 * 60 * 60_000;

/**
 * The least id of an instant: ids begin with the time, so that the indexes, which are ordered by id, lead to a span of
 * time as well. Ids are made by our clocks and `at` is the database's, hence a day to spare; `at` itself decides.
 */
function idAt(instant: string, marginMs: number): string {
  const ms = Math.max(0, Date.parse(instant) + marginMs);
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-0000-0000-000000000000`;
}
