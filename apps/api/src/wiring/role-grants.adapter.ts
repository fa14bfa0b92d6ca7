import { Injectable } from '@nestjs/common';
import { RoleGrants } from '#identity';
import { isRole, mayGrant } from '#workspaces';

/** API keys act in the roles of workspaces, and nobody hands out more than they have. The owner's role is a person's. */
@Injectable()
export class RoleGrantsAdapter extends RoleGrants {
  known(role: string): boolean {
    return isRole(role) && role !== 'owner';
  }

  mayGrant(role: string, byRole: string): boolean {
    return this.known(role) && isRole(role) && isRole(byRole) && mayGrant(role, byRole);
  }
}
