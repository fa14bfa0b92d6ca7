import { Injectable } from '@nestjs/common';
import { AppError, Clock, Db, onViolation, type Tx } from '#platform';
import { AuditLog } from '../audit/audit-log.service';
import { notFound, workspaceErrors } from '../errors';
import { type Acting, ActingMembers } from '../members/acting-members.service';
import { changeWorkspace, findWorkspace, type WorkspaceRow } from './workspace.sql';
import { settingsOf, type WorkspaceSettings } from './settings';
import { toWorkspaceView, type WorkspaceView } from './workspaces.dto';

/** What somebody wants changed; what is not named stays as it is. */
export interface WorkspaceChange {
  readonly name?: string | undefined;
  readonly slug?: string | undefined;
  readonly settings?:
    | Partial<{ readonly [K in keyof WorkspaceSettings]: WorkspaceSettings[K] | undefined }>
    | undefined;
}

/** Changes what people call a workspace and how it is set. */
@Injectable()
export class WorkspaceChanges {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly actors: ActingMembers,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Changes name, slug and settings, any of them. Settings are merged in the statement that writes them, so that two
   * who change different ones at a time both have their way. Throws request.not_found, workspace.slug_taken.
   */
  async change(acting: Acting, change: WorkspaceChange): Promise<WorkspaceView> {
    const { workspaceId } = acting.access;
    return this.db.tenant(workspaceId, async (tx) => {
      const { role } = await this.actors.require(tx, acting, 'workspace:update');
      const before = existing(await tx.query(findWorkspace, workspaceId));
      if (isWithout(change, before)) return toWorkspaceView(before, role);
      const { name = null, slug = null, settings = {} } = change;
      const after = existing(
        await onViolation(slugTaken(slug), () =>
          tx.query(changeWorkspace, workspaceId, name, slug, JSON.stringify(settings), this.clock.pinned()),
        ),
      );
      await this.#record(tx, acting, { before, after });
      return toWorkspaceView(after, role);
    });
  }

  /** A new name is a line of its own: people look for it by that word. */
  async #record(
    tx: Tx,
    { access: { workspaceId }, origin }: Acting,
    { before, after }: { readonly before: WorkspaceRow; readonly after: WorkspaceRow },
  ): Promise<void> {
    const target = { kind: 'workspace', id: workspaceId };
    if (after.name !== before.name) {
      const names = { before: { name: before.name }, after: { name: after.name } };
      await this.auditLog.record(tx, { workspaceId, origin, action: 'workspace.renamed', target, ...names });
    }
    const changes = differences(before, after);
    if (changes === null) return;
    await this.auditLog.record(tx, { workspaceId, origin, action: 'workspace.updated', target, ...changes });
  }
}

function existing(rows: readonly WorkspaceRow[]): WorkspaceRow {
  const [row] = rows;
  if (!row) throw notFound();
  return row;
}

/** What is recorded of a workspace beside its name. */
function recorded({ slug, settings }: WorkspaceRow): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>([['slug', slug], ...Object.entries(settingsOf(settings))]);
}

function differences(before: WorkspaceRow, after: WorkspaceRow) {
  const [old, now] = [recorded(before), recorded(after)];
  const changed = [...now.keys()].filter((key) => now.get(key) !== old.get(key));
  if (changed.length === 0) return null;
  const chosen = (from: ReadonlyMap<string, unknown>) =>
    Object.fromEntries(changed.map((key) => [key, from.get(key)]));
  return { before: chosen(old), after: chosen(now) };
}

/** Whether everything is as it is wanted already. */
function isWithout({ name, slug, settings = {} }: WorkspaceChange, before: WorkspaceRow): boolean {
  const stored = new Map<string, unknown>(Object.entries(settingsOf(before.settings)));
  return (
    (name ?? before.name) === before.name &&
    (slug ?? before.slug) === before.slug &&
    Object.entries(settings).every(([key, value]) => value === undefined || stored.get(key) === value)
  );
}

function slugTaken(slug: string | null): Readonly<Record<string, () => AppError>> {
  const message = `Another workspace has the slug "${slug}". Choose another one.`;
  return {
    workspaces_slug_key: () =>
      new AppError(workspaceErrors.slug_taken, {
        detail: message,
        problems: [{ pointer: '/slug', code: 'slug_taken', message }],
      }),
  };
}
