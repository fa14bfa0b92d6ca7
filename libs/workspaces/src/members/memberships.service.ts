import { Injectable } from '@nestjs/common';
import { type Access, AppError, Db, isUuid, type Page, pageOf, type Principal, type Tx } from '#platform';
import { workspaceErrors } from '../errors';
import { MemberNames } from '../ports';
import { type MemberView, toMemberView } from './members.dto';
import { type MembersAfter, MembersRepository } from './members.repository';
import {
  countMembershipsOf,
  findLiveWorkspace,
  findRole,
  holdRole,
  insertOwner,
  lockMembershipsOf,
} from './membership.sql';
import { isPermission, isRole, permissionsOf, type Role } from './role';

/** Workspaces one person may own at a time. */
export const OWNED_MAX = 10;
/** Workspaces one person may belong to at a time, owned ones included. */
export const JOINED_MAX = 50;

/** Who belongs to which workspace, and what that lets them do. */
@Injectable()
export class Memberships {
  constructor(
    private readonly db: Db,
    private readonly members: MembersRepository,
    private readonly names: MemberNames,
  ) {}

  /**
   * What a principal may do in a workspace, read live at each call. Null when the workspace does not exist, is deleted
   * or is none of the principal's business. An API key acts in its own workspace alone, with what its role may do.
   */
  async accessOf(principal: Principal, workspaceId: string): Promise<Access | null> {
    if (!isUuid(workspaceId)) return null;
    const role = await this.#roleOf(principal, workspaceId);
    if (role === null || !isRole(role)) return null;
    return { workspaceId, role, permissions: permissionsIn(role, principal) };
  }

  /**
   * What somebody is in a workspace, and stays until `tx` ends: for what is handed out by a role and taken back with it.
   * Null for somebody who is no member.
   */
  async heldRole(tx: Tx, workspaceId: string, userId: string): Promise<string | null> {
    const [held] = await tx.query(holdRole, workspaceId, userId);
    return held?.role ?? null;
  }

  /** The members of a workspace with their names, in the order of their user ids. */
  async list(workspaceId: string, page: MembersAfter): Promise<Page<MemberView>> {
    const rows = await this.db.tenant(workspaceId, (tx) =>
      this.members.list(tx, workspaceId, { ...page, limit: page.limit + 1 }),
    );
    const found = pageOf(rows, page.limit, ({ userId }) => ({ userId }));
    const names = await this.names.of(found.data.map(({ userId }) => userId));
    return { ...found, data: found.data.map((member) => toMemberView(member, names)) };
  }

  /**
   * Makes somebody the owner of a new workspace. The limits are exact: requests of one person take turns under a lock
   * that ends with `tx`. Throws workspace.owned_limit_reached and workspace.joined_limit_reached.
   */
  async addOwner(
    tx: Tx,
    workspaceId: string,
    { userId, now }: { readonly userId: string; readonly now: Date | null },
  ) {
    await tx.query(lockMembershipsOf, userId);
    const [count] = await tx.query(countMembershipsOf, userId);
    if (count && count.owned >= OWNED_MAX) throw ownedLimit();
    if (count && count.joined >= JOINED_MAX) throw joinedLimit();
    await tx.query(insertOwner, workspaceId, userId, now);
  }

  /**
   * Refuses a transaction that has given somebody more workspaces than they may have, one that came back say. They are
   * locked by the caller. Throws workspace.owned_limit_reached and workspace.joined_limit_reached.
   */
  async requireWithinLimits(tx: Tx, userId: string): Promise<void> {
    const [count] = await tx.query(countMembershipsOf, userId);
    if (count && count.owned > OWNED_MAX) throw ownedLimit();
    if (count && count.joined > JOINED_MAX) throw joinedLimit();
  }

  async #roleOf(principal: Principal, workspaceId: string): Promise<string | null> {
    switch (principal.kind) {
      case 'user': {
        const [found] = await this.db.executeControl(findRole, workspaceId, principal.userId);
        return found?.role ?? null;
      }
      case 'api_key': {
        if (principal.workspaceId !== workspaceId) return null;
        const [live] = await this.db.executeControl(findLiveWorkspace, workspaceId);
        return live ? principal.role : null;
      }
    }
  }
}

/** A key with scopes has those of its role's permissions that are among them, and never more than the role. */
function permissionsIn(role: Role, principal: Principal): ReadonlySet<string> {
  const granted = permissionsOf(role);
  if (principal.kind === 'user' || principal.scopes === null) return granted;
  return new Set(principal.scopes.filter((scope) => isPermission(scope) && granted.has(scope)));
}

function ownedLimit(): AppError {
  return new AppError(workspaceErrors.owned_limit_reached, {
    detail: `You own ${OWNED_MAX} workspaces, and nobody can own more. Hand one over or delete one first.`,
    meta: { limit: 'ownedWorkspaces', allowed: OWNED_MAX },
  });
}

/** The refusal of a further membership. */
export function joinedLimit(): AppError {
  return new AppError(workspaceErrors.joined_limit_reached, {
    detail: `You belong to ${JOINED_MAX} workspaces, and nobody can belong to more. Leave one first.`,
    meta: { limit: 'joinedWorkspaces', allowed: JOINED_MAX },
  });
}
