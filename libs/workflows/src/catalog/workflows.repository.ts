import { Injectable } from '@nestjs/common';
import { IsNull, LessThan, Not } from 'typeorm';
import type { Tx } from '#platform';
import { managerOf } from '#platform/orm';
import { WorkflowEntity } from './workflow.entity';

/** Which workflows a page shows, and from where on. */
export interface WorkflowsBefore {
  readonly state: 'live' | 'archived';
  readonly beforeId: string | null;
  readonly limit: number;
}

/** A workflow without its draft, which may be large. */
export type WorkflowRow = Omit<WorkflowEntity, 'draft'>;

/** Reads workflows, and renames them. */
@Injectable()
export class WorkflowsRepository {
  find(tx: Tx, workspaceId: string, id: string): Promise<WorkflowEntity | null> {
    return managerOf(tx).findOneBy(WorkflowEntity, { workspaceId, id });
  }

  /** Locks the row until the transaction ends. What is read afterwards, in other statements, is current. */
  lock(tx: Tx, workspaceId: string, id: string): Promise<WorkflowEntity | null> {
    return managerOf(tx).findOne(WorkflowEntity, {
      where: { workspaceId, id },
      lock: { mode: 'pessimistic_write' },
    });
  }

  /** The newest first. */
  list(tx: Tx, workspaceId: string, { state, beforeId, limit }: WorkflowsBefore): Promise<WorkflowRow[]> {
    return managerOf(tx).find(WorkflowEntity, {
      select: {
        id: true,
        workspaceId: true,
        name: true,
        draftRevision: true,
        publishedVersionId: true,
        archivedAt: true,
        pausedAt: true,
        pausedBy: true,
        createdBy: true,
        createdAt: true,
        updatedAt: true,
      },
      where: {
        workspaceId,
        archivedAt: state === 'archived' ? Not(IsNull()) : IsNull(),
        ...(beforeId === null ? {} : { id: LessThan(beforeId) }),
      },
      order: { id: 'DESC' },
      take: limit,
    });
  }

  /** Fails on the constraint workflows_name_key when another workflow has the name. Does nothing to an archived one. */
  async rename(
    tx: Tx,
    workspaceId: string,
    { id, name }: { readonly id: string; readonly name: string },
  ): Promise<void> {
    await managerOf(tx).update(WorkflowEntity, { workspaceId, id, archivedAt: IsNull() }, { name });
  }
}
