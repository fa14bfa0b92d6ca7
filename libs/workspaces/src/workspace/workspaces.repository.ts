import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import type { Tx } from '#platform';
import { managerOf } from '#platform/orm';
import { WorkspaceEntity } from './workspace.entity';

/** Reads a workspace and writes the columns that people edit. Deleted workspaces do not exist here. */
@Injectable()
export class WorkspacesRepository {
  find(tx: Tx, workspaceId: string): Promise<WorkspaceEntity | null> {
    return managerOf(tx).findOneBy(WorkspaceEntity, { id: workspaceId, deletedAt: IsNull() });
  }

  /** Locks the row, so that what is read here is what the update of this transaction replaces. */
  findForUpdate(tx: Tx, workspaceId: string): Promise<WorkspaceEntity | null> {
    return managerOf(tx).findOne(WorkspaceEntity, {
      where: { id: workspaceId, deletedAt: IsNull() },
      lock: { mode: 'pessimistic_write' },
    });
  }

  async rename(tx: Tx, workspaceId: string, name: string): Promise<void> {
    await managerOf(tx).update(WorkspaceEntity, { id: workspaceId, deletedAt: IsNull() }, { name });
  }
}
