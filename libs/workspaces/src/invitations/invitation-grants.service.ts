import { Injectable } from '@nestjs/common';
import { Clock, type Tx } from '#platform';
import { AuditLog } from '../audit/audit-log.service';
import type { AuditOrigin } from '../audit/audit-origin';
import { withdrawInvitations } from './invitation.sql';
import { withdrawInviteLinks } from './invite-link.sql';

/** What becomes of what somebody handed out when their right to let people in ends. */
@Injectable()
export class InvitationGrants {
  constructor(
    private readonly clock: Clock,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Takes back the open invitations and usable links that a person has made in a workspace: what somebody handed out
   * ends with the right to hand it out. For removal, leaving and demotion, in their transaction and after
   * `lockWorkspace`; works for a tenant's transaction, too.
   */
  async withdrawOf(
    tx: Tx,
    from: { readonly workspaceId: string; readonly userId: string; readonly origin: AuditOrigin },
  ): Promise<void> {
    const { workspaceId, userId, origin } = from;
    const now = this.clock.pinned();
    const invitations = await tx.query(withdrawInvitations, workspaceId, userId, now);
    for (const { id, email, role, wasPending } of invitations) {
      if (!wasPending) continue;
      const target = { kind: 'invitation', id };
      const before = { email, role, state: 'pending' };
      await this.auditLog.record(tx, {
        workspaceId,
        origin,
        action: 'invitation.revoked',
        target,
        before,
        after: { state: 'revoked' },
        reason: REASON,
      });
    }
    for (const { id, role } of await tx.query(withdrawInviteLinks, workspaceId, userId, now)) {
      await this.auditLog.record(tx, {
        workspaceId,
        origin,
        action: 'invite_link.revoked',
        target: { kind: 'invite_link', id },
        before: { role, state: 'active' },
        after: { state: 'revoked' },
        reason: REASON,
      });
    }
  }
}

const REASON = 'Whoever made it may not let people in any more.';
