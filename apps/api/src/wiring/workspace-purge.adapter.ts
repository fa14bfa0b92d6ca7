import { Injectable } from '@nestjs/common';
import { UsagePurge } from '#billing';
import { ApiKeysPurge } from '#identity';
import { TenantDirectory } from '#platform';
import { WorkspaceRuns } from '#workflows';
import { type PurgeProgress, WorkspacePurge } from '#workspaces';

/**
 * Each lib deletes what it keeps of a workspace, one after the other: the anchor that the tables of the cell refer to is
 * platform's, and last.
 */
@Injectable()
export class WorkspacePurgeAdapter extends WorkspacePurge {
  constructor(
    private readonly runs: WorkspaceRuns,
    private readonly usage: UsagePurge,
    private readonly keys: ApiKeysPurge,
    private readonly directory: TenantDirectory,
  ) {
    super();
  }

  async purge(workspaceId: string): Promise<PurgeProgress> {
    let rows = 0;
    for (const step of [this.runs, this.usage, this.keys, this.directory]) {
      const progress = await step.purge(workspaceId);
      rows += progress.rows;
      if (!progress.done) return { rows, done: false };
    }
    return { rows, done: true };
  }
}
