/** What billing must know of a workspace: the slug of its plan, and where its monthly periods begin. */
export interface WorkspacePlan {
  readonly plan: string;
  readonly anchorAt: Date;
}

/**
 * Port: the plans of workspaces. Bound in the app's wiring. It takes no transaction: plans are in the control schema,
 * which the cell of a workspace need not share a server with, so it is asked before the cell's transaction begins.
 */
export abstract class WorkspacePlans {
  /** By workspace id. A workspace that does not exist, or is deleted, is missing. */
  abstract of(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, WorkspacePlan>>;
}
