import { Injectable } from '@nestjs/common';
import { Db } from '#platform';
import { countWorkflowsOf } from './workflow.sql';

/** How many workflows there are, for whoever must tell what a deletion would take. */
@Injectable()
export class WorkflowCounts {
  constructor(private readonly db: Db) {}

  /** Workflows of some workspaces together, archived ones left out. */
  async in(workspaceIds: readonly string[]): Promise<number> {
    let total = 0;
    for (const workspaceId of workspaceIds) {
      const [found] = await this.db.tenant(workspaceId, (tx) => tx.query(countWorkflowsOf, workspaceId));
      total += found?.count ?? 0;
    }
    return total;
  }
}
