import { Injectable } from '@nestjs/common';
import type { Tx } from '#platform';
import { managerOf } from '#platform/orm';
import { WorkflowHookEntity } from './workflow-hook.entity';

/** Reads hooks. */
@Injectable()
export class WorkflowHooksRepository {
  find(tx: Tx, workspaceId: string, id: string): Promise<WorkflowHookEntity | null> {
    return managerOf(tx).findOneBy(WorkflowHookEntity, { workspaceId, id });
  }

  /** All hooks a workflow ever got, those of nodes that are gone as well. */
  listOf(tx: Tx, workspaceId: string, workflowId: string): Promise<WorkflowHookEntity[]> {
    return managerOf(tx).findBy(WorkflowHookEntity, { workspaceId, workflowId });
  }
}
