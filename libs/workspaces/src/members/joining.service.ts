import { Injectable } from '@nestjs/common';
import { AppError, Clock, platformErrors, type Tx } from '#platform';
import { AuditLog } from '../audit/audit-log.service';
import type { AuditOrigin } from '../audit/audit-origin';
import { notFound } from '../errors';
import { People, type Person, SeatPolicy } from '../ports';
import { lockWorkspace } from '../workspace/workspace.sql';
import { countSeatsTaken, insertMember, raiseMember } from './joining.sql';
import { findMember } from './member-changes.sql';
import { countMembershipsOf, lockMembershipsOf } from './membership.sql';
import { joinedLimit, JOINED_MAX } from './memberships.service';
import { isLess, isRole, type Role } from './role';

/** A person before a workspace, both locked: until the transaction ends nobody else changes who is in it. */
export interface Threshold {
  readonly person: Person;
  readonly workspace: { readonly id: string; readonly name: string; readonly plan: string };
}

/** How somebody comes in. */
export interface Entry {
  readonly role: Role;
  readonly origin: AuditOrigin;
  /** What let them in, for the audit log: an id of an invitation or a link. */
  readonly by: Readonly<Record<string, string>>;
  /** An invitation holds a seat for whom it invites; a link takes one that is neither taken nor held. */
  readonly seat: 'reserved' | 'free';
  /** What becomes of a member who comes in once more with a higher role. */
  readonly again: 'raise' | 'keep';
}

/** The one place where somebody becomes a member of a workspace that exists. */
@Injectable()
export class Joining {
  constructor(
    private readonly clock: Clock,
    private readonly people: People,
    private readonly seats: SeatPolicy,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Takes the locks in the order of the house: the person, then the workspace. What is read afterwards about either is
   * true until the transaction ends. Throws request.not_found for a deleted workspace and request.unauthenticated for
   * an account that is gone.
   */
  async lock(tx: Tx, who: { readonly userId: string; readonly workspaceId: string }): Promise<Threshold> {
    await tx.query(lockMembershipsOf, who.userId);
    const person = await this.people.lock(tx, who.userId);
    if (!person)
      throw new AppError(platformErrors.unauthenticated, { detail: 'This account does not exist any more.' });
    const [workspace] = await tx.query(lockWorkspace, who.workspaceId);
    if (!workspace) throw notFound();
    return { person, workspace };
  }

  /** The role of the person in the workspace, null for somebody who is no member. */
  async roleOf(tx: Tx, { person, workspace }: Threshold): Promise<Role | null> {
    const [member] = await tx.query(findMember, workspace.id, person.id);
    return member && isRole(member.role) ? member.role : null;
  }

  /**
   * Makes the person a member, or raises the role of one; never lowers it. Answers with the role they have now. Throws
   * workspace.joined_limit_reached and the refusal of the `SeatPolicy`.
   */
  async join(tx: Tx, at: Threshold, entry: Entry): Promise<Role> {
    const present = await this.roleOf(tx, at);
    if (present !== null) {
      if (entry.again === 'keep' || !isLess(present, entry.role)) return present;
      await this.#raise(tx, at, { ...entry, present });
      return entry.role;
    }
    await this.#requireRoom(tx, at, entry.seat);
    await tx.query(insertMember, at.workspace.id, at.person.id, entry.role, this.clock.pinned());
    await this.auditLog.record(tx, {
      workspaceId: at.workspace.id,
      origin: entry.origin,
      action: 'member.joined',
      target: { kind: 'member', id: at.person.id },
      after: { role: entry.role, ...entry.by },
    });
    return entry.role;
  }

  async #requireRoom(tx: Tx, { person, workspace }: Threshold, seat: Entry['seat']): Promise<void> {
    const [count] = await tx.query(countMembershipsOf, person.id);
    if (count && count.joined >= JOINED_MAX) throw joinedLimit();
    const seats = this.seats.seatsOf(workspace.plan);
    if (seats === null) return;
    const [taken] = await tx.query(countSeatsTaken, workspace.id, person.email, this.clock.pinned());
    if (!taken) throw new Error('The count of seats returned no row.');
    if (taken.members + (seat === 'free' ? taken.reserved : 0) + 1 > seats)
      throw this.seats.refusal(workspace.plan);
  }

  async #raise(
    tx: Tx,
    at: Threshold,
    { role, present, origin, by }: Entry & { readonly present: Role },
  ): Promise<void> {
    await tx.query(raiseMember, at.workspace.id, at.person.id, role);
    await this.auditLog.record(tx, {
      workspaceId: at.workspace.id,
      origin,
      action: 'member.role_updated',
      target: { kind: 'member', id: at.person.id },
      before: { role: present },
      after: { role, ...by },
    });
  }
}
