import { Injectable } from '@nestjs/common';
import {
  AppError,
  Clock,
  Config,
  Db,
  Idempotency,
  type IdempotencyKey,
  Ids,
  Mail,
  type Page,
  pageOf,
  publicUrlOf,
  Random,
  RateLimiter,
  type RatePolicy,
  sha256,
  type Tx,
} from '#platform';
import { AuditLog } from '../audit/audit-log.service';
import type { AuditOrigin } from '../audit/audit-origin';
import { notFound, workspaceErrors } from '../errors';
import { countSeatsTaken } from '../members/joining.sql';
import { type Acting, ActingMembers } from '../members/acting-members.service';
import { requireGrantable } from '../members/grantable-role';
import { findMember } from '../members/member-changes.sql';
import { MemberNames, People, type Person, SeatPolicy } from '../ports';
import { settingsOf } from '../workspace/settings';
import type { LockedWorkspace } from '../workspace/workspace.sql';
import { isSameAddress } from './address';
import { invitationMail } from './invitation-mail';
import { DAILY_MAX, dailyLimit, notOpen, OPEN_MAX, openLimit } from './invitation-refusals';
import {
  closeOpenInvitation,
  countInvitations,
  findInvitation,
  type InvitationRow,
  insertInvitation,
  type InvitationState,
  listInvitations,
  renewInvitation,
  revokeInvitation,
} from './invitation.sql';
import { type InvitationView, invitedRole, type NewInvitation, toInvitationView } from './invitations.dto';

/** Mails of one invitation: enough for one that got lost, too few to pester somebody. */
const RESENDING: RatePolicy = { name: 'invitation-resend', limit: 5, windowSeconds: 24 * 60 * 60 };

/** Which invitations to list. */
export interface InvitationsPage {
  readonly beforeId: string | null;
  readonly limit: number;
  readonly state: InvitationState | null;
}

/** Invitations to addresses: making, showing, mailing again and taking back. */
@Injectable()
export class Invitations {
  constructor(
    private readonly db: Db,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly random: Random,
    private readonly idempotency: Idempotency,
    private readonly mail: Mail,
    private readonly limiter: RateLimiter,
    private readonly people: People,
    private readonly names: MemberNames,
    private readonly seats: SeatPolicy,
    private readonly acting: ActingMembers,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Invites an address; an invitation to it that is open is replaced. Row, mail and audit entries are one transaction,
   * and the limits are exact: whatever changes who is or will be in a workspace takes turns. Throws
   * request.not_found and request.forbidden for who was removed or demoted meanwhile, workspace.self_invitation,
   * workspace.already_member, workspace.role_not_grantable, the limits and the refusal of
   * the `SeatPolicy`.
   */
  async invite(by: Acting, wanted: NewInvitation, key: IdempotencyKey | null): Promise<InvitationView> {
    const { access, origin } = by;
    const inviter = await this.#inviter(origin);
    const inviteeId = await this.people.idOf(wanted.email);
    return this.db.tenant(access.workspaceId, (tx) =>
      this.idempotency.once(tx, key, async () => {
        if (inviter && isSameAddress(inviter.email, wanted.email)) throw selfInvitation(wanted.email);
        const { workspace, role } = await this.acting.require(tx, by, 'member:manage');
        requireGrantable(wanted.role, role);
        if (inviteeId !== null && (await tx.query(findMember, workspace.id, inviteeId)).length > 0)
          throw alreadyMember(wanted.email);
        await this.#closeOpen(tx, by, wanted);
        await this.#requireRoom(tx, workspace);
        return this.#insert(tx, { ...by, workspace, inviter }, wanted);
      }),
    );
  }

  /** The invitations of a workspace, newest first. */
  async list(
    workspaceId: string,
    { beforeId, limit, state }: InvitationsPage,
  ): Promise<Page<InvitationView>> {
    const now = this.clock.pinned();
    const rows = await this.db.tenant(workspaceId, (tx) =>
      tx.query(listInvitations, workspaceId, beforeId, state, limit + 1, now),
    );
    const found = pageOf(rows, limit, ({ id }) => ({ id }));
    return { ...found, data: await this.#views(found.data) };
  }

  /** One invitation of a workspace. Throws request.not_found. */
  async get(workspaceId: string, id: string): Promise<InvitationView> {
    return this.#view(await this.#existing(workspaceId, id));
  }

  /**
   * Mails an open invitation again, with a new token and as much time as before: the former link is dead. Throws
   * request.not_found, workspace.invitation_not_open, and request.too_many after five mails in a day.
   */
  async resend(by: Acting, id: string): Promise<InvitationView> {
    const { workspaceId } = by.access;
    const before = await this.#existing(workspaceId, id);
    if (before.state !== 'pending') throw notOpen(before.state);
    await this.limiter.require(RESENDING, id);
    const inviter = await this.#inviter(by.origin);
    const renewed = await this.db.tenant(workspaceId, async (tx) => {
      const { workspace, role } = await this.acting.require(tx, by, 'member:manage');
      requireGrantable(invitedRole.parse(before.role), role);
      const token = this.random.token();
      const [row] = await tx.query(renewInvitation, workspaceId, id, sha256(token), this.clock.pinned());
      if (!row) throw notOpen((await this.#row(tx, workspaceId, id)).state);
      await this.#send(tx, row, { token, workspaceName: workspace.name, inviterName: inviter?.name ?? null });
      await this.auditLog.record(tx, {
        workspaceId,
        origin: by.origin,
        action: 'invitation.resent',
        target: { kind: 'invitation', id },
        before: { expiresAt: before.expiresAt.toISOString() },
        after: { expiresAt: row.expiresAt.toISOString() },
      });
      return row;
    });
    return this.#view(renewed);
  }

  /**
   * Takes an open invitation back, for good; one that was revoked before stays as it is. Throws request.not_found and
   * workspace.invitation_not_open.
   */
  async revoke(by: Acting, id: string): Promise<void> {
    const { workspaceId } = by.access;
    await this.db.tenant(workspaceId, async (tx) => {
      await this.acting.require(tx, by, 'member:manage');
      const [revoked] = await tx.query(revokeInvitation, workspaceId, id, this.clock.pinned());
      if (!revoked) {
        const { state } = await this.#row(tx, workspaceId, id);
        if (state === 'revoked') return;
        throw notOpen(state);
      }
      await this.auditLog.record(tx, {
        workspaceId,
        origin: by.origin,
        action: 'invitation.revoked',
        target: { kind: 'invitation', id },
        before: { email: revoked.email, role: revoked.role, state: 'pending' },
        after: { state: 'revoked' },
      });
    });
  }

  /** An invitation that has expired is closed as well: it holds its address until then, and must not. */
  async #closeOpen(tx: Tx, { access, origin }: Acting, { email, role }: NewInvitation): Promise<void> {
    const { workspaceId } = access;
    const [closed] = await tx.query(closeOpenInvitation, workspaceId, email, this.clock.pinned());
    if (!closed?.wasPending) return;
    await this.auditLog.record(tx, {
      workspaceId,
      origin,
      action: 'invitation.replaced',
      target: { kind: 'invitation', id: closed.id },
      before: { email, role: closed.role, state: 'pending' },
      after: { state: 'revoked', replacedWithRole: role },
    });
  }

  async #requireRoom(tx: Tx, { id, plan }: LockedWorkspace): Promise<void> {
    const [count] = await tx.query(countInvitations, id, this.clock.pinned());
    if (!count) throw new Error('The count of invitations returned no row.');
    if (count.open >= OPEN_MAX) throw openLimit();
    if (count.lastDay >= DAILY_MAX) throw dailyLimit(count.nextInSeconds);
    const seats = this.seats.seatsOf(plan);
    if (seats === null) return;
    const [taken] = await tx.query(countSeatsTaken, id, null, this.clock.pinned());
    if (taken && taken.members + taken.reserved >= seats) throw this.seats.refusal(plan);
  }

  async #insert(
    tx: Tx,
    {
      origin,
      workspace,
      inviter,
    }: Acting & { readonly workspace: LockedWorkspace; readonly inviter: Person | null },
    { email, role, expiresInDays }: NewInvitation,
  ): Promise<InvitationView> {
    const token = this.random.token();
    const [row] = await tx.query(
      insertInvitation,
      this.ids.next(),
      workspace.id,
      email,
      role,
      sha256(token),
      inviter?.id ?? null,
      expiresInDays ?? settingsOf(workspace.settings).invitationExpiryDays,
      this.clock.pinned(),
    );
    if (!row) throw new Error('The insert of an invitation returned no row.');
    await this.#send(tx, row, { token, workspaceName: workspace.name, inviterName: inviter?.name ?? null });
    const view = toInvitationView(row, new Map(inviter ? [[inviter.id, inviter]] : []));
    await this.auditLog.record(tx, {
      workspaceId: workspace.id,
      origin,
      action: 'member.invited',
      target: { kind: 'invitation', id: row.id },
      after: { email, role, expiresAt: view.expiresAt },
    });
    return view;
  }

  async #send(
    tx: Tx,
    { email, role, expiresAt }: InvitationRow,
    say: { readonly token: string; readonly workspaceName: string; readonly inviterName: string | null },
  ): Promise<void> {
    const link = `${publicUrlOf(this.config)}/i/${say.token}`;
    const { workspaceName, inviterName } = say;
    await this.mail.enqueue(
      tx,
      invitationMail({ to: email, role, expiresAt, link, workspaceName, inviterName }),
    );
  }

  async #existing(workspaceId: string, id: string): Promise<InvitationRow> {
    return this.db.tenant(workspaceId, (tx) => this.#row(tx, workspaceId, id));
  }

  async #row(tx: Tx, workspaceId: string, id: string): Promise<InvitationRow> {
    const [row] = await tx.query(findInvitation, workspaceId, id, this.clock.pinned());
    if (!row) throw notFound();
    return row;
  }

  /** Null for a program, which has no name that an invited person would know. */
  async #inviter({ actor }: AuditOrigin): Promise<Person | null> {
    return actor.kind === 'user' ? this.people.find(actor.id) : null;
  }

  async #view(row: InvitationRow): Promise<InvitationView> {
    return toInvitationView(row, await this.names.of(row.invitedBy === null ? [] : [row.invitedBy]));
  }

  async #views(rows: readonly InvitationRow[]): Promise<readonly InvitationView[]> {
    const inviters = rows.flatMap(({ invitedBy }) => (invitedBy === null ? [] : [invitedBy]));
    const names = await this.names.of([...new Set(inviters)]);
    return rows.map((row) => toInvitationView(row, names));
  }
}

function selfInvitation(email: string): AppError {
  return new AppError(workspaceErrors.self_invitation, {
    detail: `${email} is your own address, and you are a member already.`,
    problems: [{ pointer: '/email', code: 'self', message: 'is your own address' }],
  });
}

function alreadyMember(email: string): AppError {
  return new AppError(workspaceErrors.already_member, {
    detail: `${email} belongs to a member of this workspace. Change their role instead.`,
    problems: [{ pointer: '/email', code: 'member', message: 'belongs to a member already' }],
  });
}
