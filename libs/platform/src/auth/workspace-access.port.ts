import type { Principal } from './principal';

/** What a principal may do in one workspace, as of now. */
export interface Access {
  readonly workspaceId: string;
  readonly role: string;
  readonly permissions: ReadonlySet<string>;
}

/** Port: the workspace guard asks it on each request to `/v1/workspaces/:workspaceId/…`. Bound in the app's wiring. */
export abstract class WorkspaceAccess {
  /** Null when the workspace does not exist, is deleted, or the principal has nothing to do with it: all look alike. */
  abstract of(principal: Principal, workspaceId: string): Promise<Access | null>;
}
