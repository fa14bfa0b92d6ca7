import { Injectable } from '@nestjs/common';
import { stringify } from 'csv-stringify/sync';
import { AuditLog } from './audit-log.service';
import type { AuditEntryView, AuditFilter } from './audit-log.dto';
import type { Acting } from '../members/acting-members.service';
import { AppError, Db, platformErrors } from '#platform';

const PAGE_ROWS = 500;

const LOST_ACCESS = 'The export ended early: whoever asked for it may no longer read the audit log.';

const COLUMNS = [
  'at', 'id', 'actorKind', 'actorId', 'action', 'targetKind', 'targetId', 'before', 'after', 'reason', 'ip', 'userAgent',
]; // prettier-ignore

/** What an export goes on with after its first page. */
interface Exporting {
  readonly workspaceId: string;
  readonly filter: AuditFilter;
  readonly first: readonly AuditEntryView[];
  readonly stillAllowed: () => Promise<boolean>;
}

/** Writes the audit log as CSV, for spreadsheets and archives. */
@Injectable()
export class AuditExports {
  constructor(
    private readonly db: Db,
    private readonly log: AuditLog,
  ) {}

  /**
   * The entries that a filter lets through, newest first, in pieces of a page each, so that a log of any length takes
   * the memory of one page. Exporting is a line of the log itself; what is recorded later is not in it. The first page
   * is read before this answers: what is wrong comes as an error, not as a broken file. Each further page asks first
   * whether its reader is `stillAllowed`, since a reader decides how long a download takes; who is not gets a file that
   * breaks off (request.forbidden), so that nobody takes it for whole.
   */
  async export(
    { access, origin }: Acting,
    filter: AuditFilter,
    stillAllowed: () => Promise<boolean>,
  ): Promise<AsyncIterable<string>> {
    const { workspaceId } = access;
    const entryId = await this.db.tenant(workspaceId, (tx) =>
      this.log.record(tx, {
        workspaceId,
        origin,
        action: 'audit_log.exported',
        target: { kind: 'workspace', id: workspaceId },
        after: { ...filter },
      }),
    );
    const first = await this.#page(workspaceId, filter, entryId);
    return this.#pieces({ workspaceId, filter, first, stillAllowed });
  }

  async *#pieces({ workspaceId, filter, first, stillAllowed }: Exporting) {
    yield stringify([COLUMNS]);
    let page = first;
    for (;;) {
      if (page.length > 0) yield csvOf(page);
      const last = page.at(-1);
      if (!last || page.length < PAGE_ROWS) return;
      if (!(await stillAllowed())) throw new AppError(platformErrors.forbidden, { detail: LOST_ACCESS });
      page = await this.#page(workspaceId, filter, last.id);
    }
  }

  async #page(
    workspaceId: string,
    filter: AuditFilter,
    beforeId: string,
  ): Promise<readonly AuditEntryView[]> {
    const { data } = await this.log.list(workspaceId, { ...filter, beforeId, limit: PAGE_ROWS });
    return data;
  }
}

/** A text that a spreadsheet would take for a formula gets an apostrophe in front: names are chosen by strangers. */
function csvOf(entries: readonly AuditEntryView[]): string {
  return stringify(entries.map(cellsOf), { escape_formulas: true });
}

function cellsOf({ id, at, actor, action, target, before, after, reason, ip, userAgent }: AuditEntryView) {
  const json = (change: AuditEntryView['before']) => (change === null ? '' : JSON.stringify(change));
  return [
    at, id, actor.kind, actor.id, action, target.kind, target.id, json(before), json(after), reason, ip, userAgent,
  ]; // prettier-ignore
}
