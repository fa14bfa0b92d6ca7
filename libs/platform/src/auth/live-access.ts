import { Injectable } from '@nestjs/common';
import { LivePrincipals } from './live-principals.port';
import type { Principal } from './principal';
import { WorkspaceAccess } from './workspace-access.port';

/** Judges again whom the guards let in, for answers that take longer than a moment: streams and exports. */
@Injectable()
export class LiveAccess {
  constructor(
    private readonly principals: LivePrincipals,
    private readonly workspaceAccess: WorkspaceAccess,
  ) {}

  /** False once the session, the key, the membership or the permission is gone. */
  async permits(principal: Principal, workspaceId: string, permission: string): Promise<boolean> {
    if (!(await this.principals.holds(principal))) return false;
    const access = await this.workspaceAccess.of(principal, workspaceId);
    return access?.permissions.has(permission) ?? false;
  }
}
