import { Injectable } from '@nestjs/common';
import { Clock, Db, Ids, type Page, pageOf, type Tx } from '#platform';
import { appendAuditEntry } from './append-audit-entry.sql';
import { type AuditEntryView, toAuditEntryView } from './audit-log.dto';
import { type AuditEntriesBefore, AuditLogRepository } from './audit-log.repository';
import type { AuditOrigin } from './audit-origin';

/** A change worth remembering. `before` and `after` hold what changed and never a secret. */
export interface AuditEntry {
  readonly workspaceId: string;
  readonly origin: AuditOrigin;
  /** The thing and what happened to it, in the past tense: `workspace.renamed`. */
  readonly action: `${string}.${string}`;
  readonly target: { readonly kind: string; readonly id: string };
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly reason?: string;
}

/** The audit log of workspaces: appended to in the transaction of the change, never changed. */
@Injectable()
export class AuditLog {
  constructor(
    private readonly db: Db,
    private readonly ids: Ids,
    private readonly clock: Clock,
    private readonly entries: AuditLogRepository,
  ) {}

  /** Appends an entry in the transaction of the change it tells of, both or neither; gives its id. */
  async record(tx: Tx, entry: AuditEntry): Promise<string> {
    const id = this.ids.next();
    await tx.query(
      appendAuditEntry,
      id,
      entry.workspaceId,
      entry.origin.actor.kind,
      entry.origin.actor.id,
      entry.action,
      entry.target.kind,
      entry.target.id,
      entry.before === undefined ? null : JSON.stringify(entry.before),
      entry.after === undefined ? null : JSON.stringify(entry.after),
      entry.reason ?? null,
      entry.origin.ip,
      entry.origin.userAgent,
      this.clock.pinned(),
    );
    return id;
  }

  /** The entries of a workspace that are wanted, newest first. */
  async list(workspaceId: string, page: AuditEntriesBefore): Promise<Page<AuditEntryView>> {
    const rows = await this.db.tenant(workspaceId, (tx) =>
      this.entries.list(tx, workspaceId, { ...page, limit: page.limit + 1 }),
    );
    const found = pageOf(rows, page.limit, ({ id }) => ({ id }));
    return { ...found, data: found.data.map(toAuditEntryView) };
  }
}
