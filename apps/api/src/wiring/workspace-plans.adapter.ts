import { Injectable } from '@nestjs/common';
import { type WorkspacePlan, WorkspacePlans } from '#billing';
import { Workspaces } from '#workspaces';

/** The plan is a column of the workspace; billing asks for it. */
@Injectable()
export class WorkspacePlansAdapter extends WorkspacePlans {
  constructor(private readonly workspaces: Workspaces) {
    super();
  }

  of(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, WorkspacePlan>> {
    return this.workspaces.plansOf(workspaceIds);
  }
}
