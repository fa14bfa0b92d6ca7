import { Injectable } from '@nestjs/common';
import { RoleGrants } from '#identity';
import type { Tx } from '#platform';
import { isRole, mayGrant, Memberships, permissionsOf, type Role, roles } from '#workspaces';

/** API keys act in the roles of workspaces, and nobody hands out more than they have. The owner's role is a person's. */
@Injectable()
export class RoleGrantsAdapter extends RoleGrants {
  constructor(private readonly memberships: Memberships) {
    super();
  }

  held(tx: Tx, { workspaceId, userId }: { readonly workspaceId: string; readonly userId: string }) {
    return this.memberships.heldRole(tx, workspaceId, userId);
  }

  known(role: string): boolean {
    return isRole(role) && role !== 'owner';
  }

  permissionsOf(role: string): ReadonlySet<string> {
    return isRole(role) ? permissionsOf(role) : new Set();
  }

  leastWith(permissions: readonly string[]): string | null {
    const holdsAll = (role: Role) => permissions.every((one) => this.permissionsOf(role).has(one));
    return roles.findLast((role) => this.known(role) && holdsAll(role)) ?? null;
  }

  mayGrant(role: string, byRole: string): boolean {
    return this.known(role) && isRole(role) && isRole(byRole) && mayGrant(role, byRole);
  }
}
