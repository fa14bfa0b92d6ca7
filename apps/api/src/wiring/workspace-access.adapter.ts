import { Injectable } from '@nestjs/common';
import { type Access, type Principal, WorkspaceAccess } from '#platform';
import { Memberships } from '#workspaces';

/** Who may do what in a workspace is told by its memberships. */
@Injectable()
export class WorkspaceAccessAdapter extends WorkspaceAccess {
  constructor(private readonly memberships: Memberships) {
    super();
  }

  of(principal: Principal, workspaceId: string): Promise<Access | null> {
    return this.memberships.accessOf(principal, workspaceId);
  }
}
