import { Injectable } from '@nestjs/common';
import { type Access, AppError, platformErrors, type Tx } from '#platform';
import type { AuditOrigin } from '../audit/audit-origin';
import { notFound } from '../errors';
import { ActingKeys } from '../ports';
import { type LockedWorkspace, lockWorkspace } from '../workspace/workspace.sql';
import { findMember } from './member-changes.sql';
import { isRole, type Permission, permissionsOf, type Role } from './role';

/** Who changes something in a workspace, and from where. `access` is what the guard found a moment ago. */
export interface Acting {
  readonly access: Access;
  readonly origin: AuditOrigin;
}

/** What holds until the transaction ends: the workspace, and the role that the change is made in. */
export interface ActingIn {
  readonly workspace: LockedWorkspace;
  readonly role: Role;
}

/** Asks again, inside the transaction of a change, what the guard asked before it. */
@Injectable()
export class ActingMembers {
  constructor(private readonly keys: ActingKeys) {}

  /**
   * Locks the workspace, so that changes of it take turns, and only then reads what the actor is: an admin who was
   * demoted or removed a moment ago changes nothing any more. Throws request.not_found for a workspace that was deleted
   * meanwhile or is none of the actor's any more, request.forbidden for a role without the permission.
   */
  async require(tx: Tx, { access, origin }: Acting, permission: Permission): Promise<ActingIn> {
    const [workspace] = await tx.query(lockWorkspace, access.workspaceId);
    if (!workspace) throw notFound();
    const role = await this.#roleOf(tx, { access, origin });
    // What a key may do was narrowed by its scopes when it was let in, and does not change while it lives.
    const permissions = origin.actor.kind === 'user' ? permissionsOf(role) : access.permissions;
    if (!permissions.has(permission)) throw lacking(permission, role);
    return { workspace, role };
  }

  async #roleOf(tx: Tx, { access, origin: { actor } }: Acting): Promise<Role> {
    switch (actor.kind) {
      case 'user': {
        const [member] = await tx.query(findMember, access.workspaceId, actor.id);
        return knownRole(member?.role);
      }
      case 'api_key':
        return knownRole((await this.keys.holds(tx, actor.id)) ? access.role : undefined);
      case 'system':
        throw new Error('The system changes workspaces without asking for permission.');
    }
  }
}

function knownRole(role: string | undefined): Role {
  if (role === undefined || !isRole(role)) throw notFound();
  return role;
}

function lacking(permission: Permission, role: Role): AppError {
  return new AppError(platformErrors.forbidden, {
    detail: `This needs the permission "${permission}", which your role "${role}" does not have.`,
    meta: { permission, role },
  });
}
