import { Injectable } from '@nestjs/common';
import { AppError, Clock, Db, platformErrors, type Tx } from '#platform';
import { AuditLog } from '../audit/audit-log.service';
import type { AuditOrigin } from '../audit/audit-origin';
import { notFound } from '../errors';
import { Joining, type Threshold } from '../members/joining.service';
import type { Role } from '../members/role';
import { MemberNames, People } from '../ports';
import { isOfDomain, isSameAddress, maskedAddress } from './address';
import { acceptInvitation, declineInvitation } from './invitation.sql';
import { invitedRole } from './invitations.dto';
import {
  domainNotAllowed,
  forAnotherAddress,
  offerOver,
  unknownToken,
  unverified,
} from './invitation-refusals';
import { spendInviteLink } from './invite-link.sql';
import { inviteTokenHash } from './invite-token';
import { findOffer, findOfferById, type OfferRow } from './offer.sql';
import type { JoinedWorkspace, OfferPreview } from './offers.dto';

/** By the token of a link, which only its mailbox or those it was shared with have seen; or by the id in one's own list. */
export type OfferKey = { readonly token: string } | { readonly invitationId: string };

/** Who answers an offer, and from where. */
export interface Answering {
  readonly userId: string;
  readonly origin: AuditOrigin;
}

type InvitationOffer = Extract<OfferRow, { readonly kind: 'invitation' }>;
type LinkOffer = Extract<OfferRow, { readonly kind: 'link' }>;

/** What links of invitations lead to: the preview for anyone, accepting and declining for whom it concerns. */
@Injectable()
export class Offers {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly people: People,
    private readonly names: MemberNames,
    private readonly joining: Joining,
    private readonly auditLog: AuditLog,
  ) {}

  /** What anyone who holds the link may know. Throws request.not_found. */
  async preview(token: string): Promise<OfferPreview> {
    const offer = await this.#behind(token);
    const { invitedBy } = offer;
    const names = await this.names.of(invitedBy === null ? [] : [invitedBy]);
    const isInvitation = offer.kind === 'invitation';
    return {
      kind: offer.kind,
      workspaceName: offer.workspaceName,
      invitedByName: names.get(invitedBy ?? '')?.name ?? null,
      role: offer.role,
      state: offer.state,
      expiresAt: offer.expiresAt.toISOString(),
      address: isInvitation ? maskedAddress(offer.email) : null,
      allowedDomains: isInvitation ? [] : offer.allowedDomains,
    };
  }

  /**
   * Joins the workspace of an offer. Offer, membership and audit entry are one transaction. Who repeats it is answered
   * the same. Throws request.not_found, the kinds of gone (`offerOver`), workspace.invitation_for_another_address,
   * workspace.email_unverified, workspace.email_domain_not_allowed, and what `Joining.join` throws.
   */
  accept(by: OfferKey, who: Answering): Promise<JoinedWorkspace> {
    return this.db.control((tx) => this.acceptIn(tx, by, who));
  }

  /** The same in a control transaction of the caller, a sign-up for example. */
  async acceptIn(tx: Tx, by: OfferKey, { userId, origin }: Answering): Promise<JoinedWorkspace> {
    const { at, offer } = await this.#locked(tx, by, userId);
    const role =
      offer.kind === 'invitation'
        ? await this.#acceptInvitation(tx, { at, offer, by, origin })
        : await this.#followLink(tx, { at, offer, origin });
    return { workspaceId: at.workspace.id, workspaceName: at.workspace.name, role };
  }

  /**
   * Declines an invitation; who repeats it is answered the same. Throws what `accept` throws, and request.invalid for
   * a link, which invites nobody in particular.
   */
  async decline(by: OfferKey, { userId, origin }: Answering): Promise<void> {
    await this.db.control(async (tx) => {
      const { at, offer } = await this.#locked(tx, by, userId);
      if (offer.kind === 'link') throw notDeclinable();
      requireAddressee(offer, at, by);
      if (offer.state === 'declined') return;
      const [declined] = await tx.query(declineInvitation, offer.id, this.clock.pinned());
      if (!declined) throw offerOver(offer);
      await this.auditLog.record(tx, {
        workspaceId: offer.workspaceId,
        origin,
        action: 'member.declined',
        target: { kind: 'invitation', id: offer.id },
        before: { state: 'pending' },
        after: { state: 'declined', email: offer.email, role: offer.role },
      });
    });
  }

  /**
   * Whether a token lets an address sign up, and whether holding it proves that address. Decides nothing for good:
   * `acceptIn` looks again. Throws what `accept` throws for a wrong address and for what is unknown or over.
   */
  async admits(token: string, email: string): Promise<{ readonly provesAddress: boolean }> {
    const offer = await this.#behind(token);
    if (offer.state !== 'pending' && offer.state !== 'active') throw offerOver(offer);
    if (offer.kind === 'invitation') {
      if (!isSameAddress(offer.email, email)) throw forAnotherAddress(offer.email, email);
      return { provesAddress: true };
    }
    requireDomain(offer, email);
    return { provesAddress: false };
  }

  /**
   * Joins in the transaction of a sign-up. A link for certain domains admits the account but lets nobody in before
   * their address is proven: they open it again then.
   */
  async acceptAtSignUp(
    tx: Tx,
    token: string,
    who: Answering & { readonly emailVerified: boolean },
  ): Promise<void> {
    const offer = existing(await this.#find(tx, { token }), unknownToken);
    if (offer.kind === 'link' && offer.allowedDomains.length > 0 && !who.emailVerified) return;
    await this.acceptIn(tx, { token }, who);
  }

  /** The offer as it stays until the transaction ends, with its workspace and the person locked. */
  async #locked(tx: Tx, by: OfferKey, userId: string): Promise<{ at: Threshold; offer: OfferRow }> {
    const missing = 'token' in by ? unknownToken : notFound;
    const { workspaceId } = existing(await this.#find(tx, by), missing);
    const at = await this.joining.lock(tx, { userId, workspaceId });
    // Read again: it may have been answered, revoked or sent anew while the locks were waited for.
    return { at, offer: existing(await this.#find(tx, by), missing) };
  }

  async #acceptInvitation(
    tx: Tx,
    accepting: {
      readonly at: Threshold;
      readonly offer: InvitationOffer;
      readonly by: OfferKey;
      readonly origin: AuditOrigin;
    },
  ): Promise<Role> {
    const { at, offer, by, origin } = accepting;
    const { person } = at;
    if (offer.acceptedBy === person.id) {
      const present = await this.joining.roleOf(tx, at);
      if (present !== null) return present;
    }
    requireAddressee(offer, at, by);
    const [accepted] = await tx.query(acceptInvitation, offer.id, person.id, this.clock.pinned());
    if (!accepted) throw offerOver(offer);
    // The token was in a mail to this very address, so whoever has it reads that mailbox.
    if ('token' in by && !person.emailVerified) await this.people.prove(tx, person);
    return this.joining.join(tx, at, {
      role: invitedRole.parse(offer.role),
      origin,
      by: { invitationId: offer.id },
      seat: 'reserved',
      again: 'raise',
    });
  }

  /** A member who follows a link uses up nothing, also when the link lets nobody else in. */
  async #followLink(
    tx: Tx,
    following: { readonly at: Threshold; readonly offer: LinkOffer; readonly origin: AuditOrigin },
  ): Promise<Role> {
    const { at, offer, origin } = following;
    const present = await this.joining.roleOf(tx, at);
    if (present !== null) return present;
    if (offer.state !== 'active') throw offerOver(offer);
    requireDomain(offer, at.person.email);
    if (offer.allowedDomains.length > 0 && !at.person.emailVerified) throw unverified(at.person);
    const [used] = await tx.query(spendInviteLink, offer.id, this.clock.pinned());
    if (!used) throw offerOver({ ...offer, state: 'used_up' });
    return this.joining.join(tx, at, {
      role: invitedRole.parse(offer.role),
      origin,
      by: { inviteLinkId: offer.id },
      seat: 'free',
      again: 'keep',
    });
  }

  async #behind(token: string): Promise<OfferRow> {
    const hash = inviteTokenHash(token);
    if (hash === null) throw unknownToken();
    const [offer] = await this.db.executeControl(findOffer, hash, this.clock.pinned());
    return existing(offer, unknownToken);
  }

  async #find(tx: Tx, by: OfferKey): Promise<OfferRow | undefined> {
    const now = this.clock.pinned();
    if (!('token' in by)) return (await tx.query(findOfferById, by.invitationId, now))[0];
    const hash = inviteTokenHash(by.token);
    return hash === null ? undefined : (await tx.query(findOffer, hash, now))[0];
  }
}

/**
 * The invitation must be for the person's address. Who has the token is told for which one it is; who has an id only
 * must have proven theirs, and learns nothing of invitations to others.
 */
function requireAddressee({ email }: InvitationOffer, { person }: Threshold, by: OfferKey): void {
  const isTheirs = isSameAddress(email, person.email);
  if ('token' in by) {
    if (!isTheirs) throw forAnotherAddress(email, person.email);
    return;
  }
  if (!isTheirs) throw notFound();
  if (!person.emailVerified) throw unverified(person);
}

function requireDomain({ allowedDomains }: LinkOffer, email: string): void {
  if (allowedDomains.length === 0 || isOfDomain(email, allowedDomains)) return;
  throw domainNotAllowed(allowedDomains, email);
}

function existing<T>(found: T | undefined, otherwise: () => AppError): T {
  if (found === undefined) throw otherwise();
  return found;
}

function notDeclinable(): AppError {
  return new AppError(platformErrors.invalid, {
    detail: 'This is an invite link, which invites nobody in particular: there is nothing to decline.',
    problems: [{ pointer: '/token', code: 'link', message: 'is that of an invite link' }],
  });
}
