import { Injectable } from '@nestjs/common';
import { AccountWorkspaces, type WorkspaceFootprint } from '#identity';
import type { Client, Tx } from '#platform';
import { WorkflowCounts } from '#workflows';
import { AccountClosing } from '#workspaces';

/** An account that goes leaves its workspaces; the workflows in those it owns go with it. */
@Injectable()
export class AccountWorkspacesAdapter extends AccountWorkspaces {
  constructor(
    private readonly closing: AccountClosing,
    private readonly workflows: WorkflowCounts,
  ) {
    super();
  }

  async footprintOf(userId: string): Promise<WorkspaceFootprint> {
    const { owned, joined } = await this.closing.footprintOf(userId);
    return { owned, joined, workflows: await this.workflows.in(owned.map(({ id }) => id)) };
  }

  leaveAll(tx: Tx, leaving: { readonly userId: string; readonly client: Client }) {
    return this.closing.leaveAll(tx, leaving);
  }
}
