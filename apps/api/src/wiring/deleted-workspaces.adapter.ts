import { Injectable } from '@nestjs/common';
import { DeletedWorkspaces } from '#workflows';
import { WorkspaceDeletions, Workspaces } from '#workspaces';

/** Whether a workspace is deleted is said by workspaces; what then has to stop is in workflows. */
@Injectable()
export class DeletedWorkspacesAdapter extends DeletedWorkspaces {
  constructor(
    private readonly workspaces: Workspaces,
    private readonly deletions: WorkspaceDeletions,
  ) {
    super();
  }

  async isLive(workspaceId: string): Promise<boolean> {
    return (await this.workspaces.plansOf([workspaceId])).has(workspaceId);
  }

  all(): Promise<readonly string[]> {
    return this.deletions.all();
  }
}
