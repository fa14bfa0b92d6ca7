import { Injectable } from '@nestjs/common';
import { AccessChanges, Clock, composeMail, Db, Mail, type Page, pageOf } from '#platform';
import { AuditLog } from '../audit/audit-log.service';
import type { AuditOrigin } from '../audit/audit-origin';
import { notFound } from '../errors';
import { type Acting, ActingMembers } from '../members/acting-members.service';
import { lockMembershipsOf } from '../members/membership.sql';
import { Memberships } from '../members/memberships.service';
import { MemberNames } from '../ports';
import { toWorkspaceView, type WorkspaceView } from '../workspace/workspaces.dto';
import { type DeletedWorkspaceView, toDeletedWorkspaceView } from './deletion.dto';
import {
  type DeletedWorkspaceRow,
  deleteWorkspace,
  listDeleted,
  listDeletedOf,
  restoreWorkspace,
} from './deletion.sql';

/** For so long a deleted workspace can be restored. */
const RESTORABLE_DAYS = 30;

/** Which workspace is to come back, by whose doing. */
export interface Restoration {
  readonly workspaceId: string;
  readonly userId: string;
  readonly origin: AuditOrigin;
}

/** Deletes workspaces so that they can be taken back for a while. What comes after that is `WorkspacePurgeDuty`. */
@Injectable()
export class WorkspaceDeletions {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly actors: ActingMembers,
    private readonly memberships: Memberships,
    private readonly auditLog: AuditLog,
    private readonly accessChanges: AccessChanges,
    private readonly names: MemberNames,
    private readonly mail: Mail,
  ) {}

  /** Deletes a workspace: from the commit on nobody and no key finds it. Its owner is told by mail. */
  async delete(acting: Acting, ownerId: string): Promise<DeletedWorkspaceView> {
    const { access, origin } = acting;
    const { workspaceId } = access;
    const owner = (await this.names.of([ownerId])).get(ownerId);
    return this.db.tenant(workspaceId, async (tx) => {
      await this.actors.require(tx, acting, 'workspace:delete');
      const [deleted] = await tx.query(deleteWorkspace, workspaceId, RESTORABLE_DAYS, this.clock.pinned());
      if (!deleted) throw notFound();
      await this.auditLog.record(tx, {
        workspaceId,
        origin,
        action: 'workspace.deleted',
        target: { kind: 'workspace', id: workspaceId },
        after: { purgeAt: deleted.purgeAt.toISOString() },
      });
      await this.accessChanges.announce(tx, `workspace:${workspaceId}`);
      if (owner) await this.mail.enqueue(tx, deletionMail(owner, deleted));
      return toDeletedWorkspaceView(deleted);
    });
  }

  /** The deleted workspaces that somebody owns and can restore, oldest first. */
  async listOf(
    ownerId: string,
    page: { readonly afterId: string | null; readonly limit: number },
  ): Promise<Page<DeletedWorkspaceView>> {
    const now = this.clock.pinned();
    const rows = await this.db.executeControl(listDeletedOf, ownerId, page.afterId, page.limit + 1, now);
    const found = pageOf(rows, page.limit, ({ id }) => ({ id }));
    return { ...found, data: found.data.map(toDeletedWorkspaceView) };
  }

  /**
   * Brings a workspace back as it was, with its members. The limits of its owner are asked again, under the same lock as
   * with a new workspace; its other members have been counted all the while. Throws request.not_found for what is
   * foreign, missing, not deleted or being purged, workspace.owned_limit_reached, workspace.joined_limit_reached.
   */
  async restore({ workspaceId, userId, origin }: Restoration): Promise<WorkspaceView> {
    return this.db.control(async (tx) => {
      await tx.query(lockMembershipsOf, userId);
      const [restored] = await tx.query(restoreWorkspace, workspaceId, userId, this.clock.pinned());
      if (!restored) throw notFound();
      await this.memberships.requireWithinLimits(tx, userId);
      await this.auditLog.record(tx, {
        workspaceId,
        origin,
        action: 'workspace.restored',
        target: { kind: 'workspace', id: workspaceId },
      });
      return toWorkspaceView(restored, 'owner');
    });
  }

  /** Every workspace that is deleted. For whoever has to stop what goes on in them, through a port. */
  async all(): Promise<readonly string[]> {
    return (await this.db.executeControl(listDeleted)).map(({ workspaceId }) => workspaceId);
  }
}

function deletionMail(
  { email, name }: { readonly email: string; readonly name: string | null },
  { name: workspaceName, purgeAt }: DeletedWorkspaceRow,
) {
  return composeMail({
    to: email,
    subject: `${workspaceName} was deleted`,
    name,
    paragraphs: [
      `your workspace "${workspaceName}" was deleted, with everything in it. Nobody can use it any more.`,
      `Until ${purgeAt.toUTCString()} you can restore it. After that it is gone for good.`,
    ],
    note: 'If it was not you who deleted it, restore it and change your password.',
  });
}
