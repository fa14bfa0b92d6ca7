import { Injectable } from '@nestjs/common';
import { Clock, Config, Db, Ids, type Page, pageOf, publicUrlOf, Random, sha256 } from '#platform';
import { AuditLog } from '../audit/audit-log.service';
import { notFound } from '../errors';
import { type Acting, ActingMembers } from '../members/acting-members.service';
import { requireGrantable } from '../members/grantable-role';
import { settingsOf } from '../workspace/settings';
import { findInviteLink, insertInviteLink, listInviteLinks, revokeInviteLink } from './invite-link.sql';
import {
  type CreatedInviteLink,
  type InviteLinkView,
  type NewInviteLink,
  toInviteLinkView,
} from './invite-links.dto';

/** Links that let in whoever they are shared with: making, listing and taking back. */
@Injectable()
export class InviteLinks {
  constructor(
    private readonly db: Db,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly random: Random,
    private readonly acting: ActingMembers,
    private readonly auditLog: AuditLog,
  ) {}

  /** Makes a link, whose address is known to this answer alone. Throws workspace.role_not_grantable. */
  async create(by: Acting, wanted: NewInviteLink): Promise<CreatedInviteLink> {
    const { workspaceId } = by.access;
    const token = this.random.token();
    const inviteLink = await this.db.tenant(workspaceId, async (tx) => {
      const { workspace, role: own } = await this.acting.require(tx, by, 'member:manage');
      requireGrantable(wanted.role, own);
      const [row] = await tx.query(
        insertInviteLink,
        this.ids.next(),
        workspaceId,
        wanted.role,
        sha256(token),
        wanted.maxUses,
        wanted.allowedDomains,
        by.origin.actor.kind === 'user' ? by.origin.actor.id : null,
        wanted.expiresInDays ?? settingsOf(workspace.settings).invitationExpiryDays,
        this.clock.pinned(),
      );
      if (!row) throw new Error('The insert of an invite link returned no row.');
      const view = toInviteLinkView(row);
      const { role, maxUses, allowedDomains, expiresAt } = view;
      await this.auditLog.record(tx, {
        workspaceId,
        origin: by.origin,
        action: 'invite_link.created',
        target: { kind: 'invite_link', id: view.id },
        after: { role, maxUses, allowedDomains, expiresAt },
      });
      return view;
    });
    return { inviteLink, url: `${publicUrlOf(this.config)}/i/${token}` };
  }

  /** The links of a workspace, newest first, those included that let nobody in any more. */
  async list(
    workspaceId: string,
    { beforeId, limit }: { readonly beforeId: string | null; readonly limit: number },
  ): Promise<Page<InviteLinkView>> {
    const rows = await this.db.tenant(workspaceId, (tx) =>
      tx.query(listInviteLinks, workspaceId, beforeId, limit + 1, this.clock.pinned()),
    );
    const found = pageOf(rows, limit, ({ id }) => ({ id }));
    return { ...found, data: found.data.map(toInviteLinkView) };
  }

  /** Takes a link back, for good; one that was revoked before stays as it is. Throws request.not_found. */
  async revoke(by: Acting, id: string): Promise<void> {
    const { workspaceId } = by.access;
    await this.db.tenant(workspaceId, async (tx) => {
      await this.acting.require(tx, by, 'member:manage');
      const [revoked] = await tx.query(revokeInviteLink, workspaceId, id, this.clock.pinned());
      if (!revoked) {
        if ((await tx.query(findInviteLink, workspaceId, id)).length === 0) throw notFound();
        return;
      }
      await this.auditLog.record(tx, {
        workspaceId,
        origin: by.origin,
        action: 'invite_link.revoked',
        target: { kind: 'invite_link', id },
        before: { role: revoked.role, usedCount: revoked.usedCount },
        after: { state: 'revoked' },
      });
    });
  }
}
