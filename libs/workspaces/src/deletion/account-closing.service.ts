import { Injectable } from '@nestjs/common';
import { AccessChanges, type Client, Clock, Db, type Tx } from '#platform';
import { AuditLog } from '../audit/audit-log.service';
import type { AuditOrigin } from '../audit/audit-origin';
import { AccessRevoker } from '../members/access-revoker';
import { removeMember } from '../members/member-changes.sql';
import { lockMembershipsOf } from '../members/membership.sql';
import { type ClosingRow, deleteForGood, listClosing, lockAnyWorkspace } from './account-closing.sql';

/** What an account has in workspaces: those it owns, deleted ones left out, and how many it only belongs to. */
export interface AccountFootprint {
  readonly owned: readonly { readonly id: string; readonly name: string; readonly otherMembers: number }[];
  readonly joined: number;
}

const REASON = 'The account was deleted.';

/** Takes accounts that go out of all workspaces. */
@Injectable()
export class AccountClosing {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly auditLog: AuditLog,
    private readonly revoker: AccessRevoker,
    private readonly accessChanges: AccessChanges,
  ) {}

  /** As of now; it may change before the account goes. */
  async footprintOf(userId: string): Promise<AccountFootprint> {
    return footprintOf(await this.db.executeControl(listClosing, userId));
  }

  /**
   * Leaves every workspace in the transaction that deletes the account: what it owns is deleted for good, all else is
   * left as by oneself. The person and the workspaces are locked, so the answer holds: nobody joins meanwhile. The caller
   * rolls back when others are in one that is owned.
   */
  async leaveAll(
    tx: Tx,
    { userId, client }: { readonly userId: string; readonly client: Client },
  ): Promise<AccountFootprint> {
    await tx.query(lockMembershipsOf, userId);
    for (const { id } of await tx.query(listClosing, userId)) await tx.query(lockAnyWorkspace, id);
    const rows = await tx.query(listClosing, userId);
    const origin: AuditOrigin = { actor: { kind: 'user', id: userId }, ...client };
    for (const row of rows) {
      if (row.isOwner) await this.#delete(tx, row, origin);
      else await this.#leave(tx, { workspaceId: row.id, userId, origin });
    }
    return footprintOf(rows);
  }

  async #delete(tx: Tx, { id, isDeleted }: ClosingRow, origin: AuditOrigin): Promise<void> {
    await tx.query(deleteForGood, id, this.clock.pinned());
    await this.accessChanges.announce(tx, `workspace:${id}`);
    if (isDeleted) return;
    await this.auditLog.record(tx, {
      workspaceId: id,
      origin,
      action: 'workspace.deleted',
      target: { kind: 'workspace', id },
      reason: REASON,
    });
  }

  async #leave(
    tx: Tx,
    left: { readonly workspaceId: string; readonly userId: string; readonly origin: AuditOrigin },
  ): Promise<void> {
    const { workspaceId, userId, origin } = left;
    const [removed] = await tx.query(removeMember, workspaceId, userId);
    if (!removed) return;
    await this.auditLog.record(tx, {
      workspaceId,
      origin,
      action: 'member.left',
      target: { kind: 'member', id: userId },
      before: { role: removed.role },
      reason: REASON,
    });
    await this.revoker.revoke(tx, { ...left, role: null });
  }
}

function footprintOf(rows: readonly ClosingRow[]): AccountFootprint {
  const live = rows.filter(({ isDeleted }) => !isDeleted);
  return {
    owned: live
      .filter(({ isOwner }) => isOwner)
      .map(({ id, name, otherMembers }) => ({ id, name, otherMembers })),
    joined: live.filter(({ isOwner }) => !isOwner).length,
  };
}
