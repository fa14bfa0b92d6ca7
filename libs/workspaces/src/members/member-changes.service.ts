import { Injectable } from '@nestjs/common';
import { AppError, Db, Mail, type Tx } from '#platform';
import { AuditLog } from '../audit/audit-log.service';
import type { AuditOrigin } from '../audit/audit-origin';
import { notFound, workspaceErrors } from '../errors';
import { type MemberName, MemberNames } from '../ports';
import { AccessRevoker } from './access-revoker';
import { type Acting, ActingMembers } from './acting-members.service';
import { changeRole, findMember, type MemberRow, removeMember } from './member-changes.sql';
import { memberRemovedMail } from './member-mails';
import { type MemberView, toMemberView } from './members.dto';
import { type GrantableRole, requireGrantable } from './grantable-role';
import { isLess, isRole, type Role } from './role';

/** Changes of who is what in a workspace: other roles, removal, leaving. Ownership is `OwnershipTransfers`. */
@Injectable()
export class MemberChanges {
  constructor(
    private readonly db: Db,
    private readonly actors: ActingMembers,
    private readonly auditLog: AuditLog,
    private readonly names: MemberNames,
    private readonly revoker: AccessRevoker,
    private readonly mail: Mail,
  ) {}

  /**
   * Gives a member another role; the same role again changes nothing. Throws request.not_found, workspace.owner_stays,
   * and workspace.role_not_grantable for a role above one's own, be it the old one or the new one.
   */
  async changeRole(acting: Acting, userId: string, role: GrantableRole): Promise<MemberView> {
    const { workspaceId } = acting.access;
    const names = await this.names.of([userId]);
    return this.db.tenant(workspaceId, async (tx) => {
      const { role: byRole } = await this.actors.require(tx, acting, 'member:manage');
      const before = await touchable(tx, workspaceId, { userId, byRole });
      requireGrantable(role, byRole);
      if (before.role === role) return toMemberView({ userId, ...before }, names);
      const [after] = await tx.query(changeRole, workspaceId, userId, role);
      if (!after) throw notFound();
      const { origin } = acting;
      await this.#record(tx, {
        workspaceId, origin, action: 'member.role_updated', userId, before: { role: before.role }, after: { role },
      }); // prettier-ignore
      if (isLess(role, before.role)) await this.revoker.revoke(tx, { workspaceId, userId, role, origin });
      return toMemberView({ userId, ...after }, names);
    });
  }

  /**
   * Removes a member, who is told by mail; removing oneself is leaving. What they made stays with the workspace. Throws
   * request.not_found, workspace.owner_stays, workspace.role_not_grantable.
   */
  async remove(acting: Acting, userId: string, reason: string | null): Promise<void> {
    const { access, origin } = acting;
    const { workspaceId } = access;
    if (isSelf(origin, userId)) return this.leave(acting, userId);
    // The transaction of a tenant does not see people.
    const person = (await this.names.of([userId])).get(userId) ?? null;
    await this.db.tenant(workspaceId, async (tx) => {
      const { workspace, role: byRole } = await this.actors.require(tx, acting, 'member:manage');
      await touchable(tx, workspaceId, { userId, byRole });
      await this.#end(tx, { workspaceId, userId, origin, action: 'member.revoked', reason });
      await this.#tell(tx, person, { workspaceName: workspace.name, reason });
    });
  }

  /** Ends one's own membership. Throws workspace.owner_stays: the owner hands the workspace over or deletes it. */
  async leave(acting: Acting, userId: string): Promise<void> {
    const { access, origin } = acting;
    const { workspaceId } = access;
    await this.db.tenant(workspaceId, async (tx) => {
      const { role } = await this.actors.require(tx, acting, 'workspace:read');
      if (role === 'owner') throw ownerStays();
      await this.#end(tx, { workspaceId, userId, origin, action: 'member.left', reason: null });
    });
  }

  async #end(tx: Tx, ending: Ending): Promise<void> {
    const { workspaceId, userId, origin, action, reason } = ending;
    const [removed] = await tx.query(removeMember, workspaceId, userId);
    if (!removed) throw notFound();
    const before = { role: removed.role };
    await this.#record(tx, { workspaceId, origin, action, userId, before, reason });
    await this.revoker.revoke(tx, { workspaceId, userId, role: null, origin });
  }

  async #tell(
    tx: Tx,
    person: MemberName | null,
    news: { readonly workspaceName: string; readonly reason: string | null },
  ): Promise<void> {
    // An account that is gone has nobody to tell.
    if (person) await this.mail.enqueue(tx, memberRemovedMail({ ...person, ...news }));
  }

  async #record(tx: Tx, change: MemberChange): Promise<void> {
    const { userId, before, after, reason, ...entry } = change;
    await this.auditLog.record(tx, {
      ...entry,
      target: { kind: 'member', id: userId },
      before,
      ...(after ? { after } : {}),
      ...(reason ? { reason } : {}),
    });
  }
}

/** A membership that ends, by whose doing and why. */
interface Ending {
  readonly workspaceId: string;
  readonly userId: string;
  readonly origin: AuditOrigin;
  readonly action: 'member.revoked' | 'member.left';
  readonly reason: string | null;
}

/** What is written of a change. */
interface MemberChange {
  readonly workspaceId: string;
  readonly userId: string;
  readonly origin: AuditOrigin;
  readonly action: `member.${string}`;
  readonly before: { readonly role: string };
  readonly after?: { readonly role: string };
  readonly reason?: string | null;
}

function isSelf({ actor }: AuditOrigin, userId: string): boolean {
  return actor.kind === 'user' && actor.id === userId;
}

/** The member, if whoever acts in `byRole` may touch them. */
async function touchable(
  tx: Tx,
  workspaceId: string,
  { userId, byRole }: { readonly userId: string; readonly byRole: Role },
): Promise<MemberRow & { readonly role: Role }> {
  const [found] = await tx.query(findMember, workspaceId, userId);
  const { role, joinedAt } = found ?? {};
  if (role === undefined || joinedAt === undefined || !isRole(role)) throw notFound();
  if (role === 'owner') throw ownerStays();
  requireGrantable(role, byRole);
  return { role, joinedAt };
}

function ownerStays(): AppError {
  return new AppError(workspaceErrors.owner_stays, {
    detail:
      'This would leave the workspace without its owner. Hand it over first: POST /v1/workspaces/{workspaceId}/transfer.',
  });
}
