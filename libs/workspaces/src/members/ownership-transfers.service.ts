import { Injectable } from '@nestjs/common';
import { AppError, Clock, Db, Mail, platformErrors, type Tx } from '#platform';
import { AuditLog } from '../audit/audit-log.service';
import { notFound, workspaceErrors } from '../errors';
import { MemberNames } from '../ports';
import { lockWorkspace } from '../workspace/workspace.sql';
import { AccessRevoker } from './access-revoker';
import { type Acting, ActingMembers } from './acting-members.service';
import { demoteOwner, findMember, promoteToOwner, setOwner } from './member-changes.sql';
import { ownershipMail } from './member-mails';
import { countMembershipsOf, lockMembershipsOf } from './membership.sql';
import { OWNED_MAX } from './memberships.service';

/** Who hands a workspace over to whom. */
export interface Transfer {
  readonly acting: Acting;
  readonly fromUserId: string;
  readonly toUserId: string;
}

/** Hands workspaces over: the owner becomes an admin and another member the owner, both or neither. */
@Injectable()
export class OwnershipTransfers {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly actors: ActingMembers,
    private readonly auditLog: AuditLog,
    private readonly names: MemberNames,
    private readonly revoker: AccessRevoker,
    private readonly mail: Mail,
  ) {}

  /**
   * Makes another member the owner. Handing over what one has just handed over to the same person changes nothing. As
   * the owner role, because workspaces of the new owner are counted that the tenant cannot see. Throws
   * workspace.not_a_member, workspace.owned_limit_reached, request.forbidden when somebody else was quicker.
   */
  async transfer({ acting, fromUserId, toUserId }: Transfer): Promise<void> {
    const { workspaceId } = acting.access;
    const names = await this.names.of([fromUserId, toUserId]);
    await this.db.control(async (tx) => {
      await tx.query(lockMembershipsOf, toUserId);
      const [locked] = await tx.query(lockWorkspace, workspaceId);
      if (!locked) throw notFound();
      if (locked.ownerId === toUserId) return this.#requireDone(tx, workspaceId, fromUserId);
      const { workspace } = await this.actors.require(tx, acting, 'workspace:transfer');
      await this.#handOver(tx, { acting, fromUserId, toUserId });
      const to = names.get(toUserId);
      if (!to) return;
      const from = names.get(fromUserId);
      const fromName = from?.name ?? from?.email ?? 'Its owner';
      await this.mail.enqueue(tx, ownershipMail({ ...to, workspaceName: workspace.name, fromName }));
    });
  }

  async #handOver(tx: Tx, { acting, fromUserId, toUserId }: Transfer): Promise<void> {
    const { access, origin } = acting;
    const { workspaceId } = access;
    const [before] = await tx.query(findMember, workspaceId, toUserId);
    if (!before) throw notAMember();
    const [count] = await tx.query(countMembershipsOf, toUserId);
    if (count && count.owned >= OWNED_MAX) throw theirOwnedLimit();
    await tx.query(demoteOwner, workspaceId, fromUserId);
    await tx.query(promoteToOwner, workspaceId, toUserId);
    const [set] = await tx.query(setOwner, workspaceId, fromUserId, toUserId, this.clock.pinned());
    if (!set) throw new Error(`The owner of workspace ${workspaceId} changed under its lock.`);
    await this.auditLog.record(tx, {
      workspaceId,
      origin,
      action: 'workspace.transferred',
      target: { kind: 'workspace', id: workspaceId },
      before: { ownerId: fromUserId },
      after: { ownerId: toUserId },
    });
    // Whoever asks the log about a person finds it there, too.
    const changes = [
      { id: fromUserId, before: { role: 'owner' }, after: { role: 'admin' } },
      { id: toUserId, before: { role: before.role }, after: { role: 'owner' } },
    ];
    for (const { id, ...change } of changes) {
      const target = { kind: 'member', id };
      await this.auditLog.record(tx, {
        workspaceId,
        origin,
        action: 'member.role_updated',
        target,
        ...change,
      });
    }
    await this.revoker.revoke(tx, { workspaceId, userId: fromUserId, role: 'admin', origin });
  }

  /** A repeated transfer is done already, for whoever still belongs here. */
  async #requireDone(tx: Tx, workspaceId: string, userId: string): Promise<void> {
    const [member] = await tx.query(findMember, workspaceId, userId);
    if (!member) throw notFound();
    if (member.role === 'owner' || member.role === 'admin') return;
    throw new AppError(platformErrors.forbidden, { detail: 'Only the owner hands a workspace over.' });
  }
}

function notAMember(): AppError {
  const message = 'Only a member can become the owner. Invite them first.';
  return new AppError(workspaceErrors.not_a_member, {
    detail: message,
    problems: [{ pointer: '/userId', code: 'not_a_member', message }],
  });
}

function theirOwnedLimit(): AppError {
  return new AppError(workspaceErrors.owned_limit_reached, {
    detail: `They own ${OWNED_MAX} workspaces, and nobody can own more. Choose another member.`,
    meta: { limit: 'ownedWorkspaces', allowed: OWNED_MAX },
  });
}
