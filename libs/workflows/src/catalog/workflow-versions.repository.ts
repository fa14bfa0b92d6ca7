import { Injectable } from '@nestjs/common';
import { In, LessThan } from 'typeorm';
import type { Tx } from '#platform';
import { managerOf } from '#platform/orm';
import { WorkflowVersionEntity } from './workflow-version.entity';

/** Where a page of a workflow's versions begins and how many it has. */
export interface VersionsBefore {
  readonly workflowId: string;
  readonly beforeNumber: number | null;
  readonly limit: number;
}

/** A version without its definition, which may be large. */
export type WorkflowVersionRow = Omit<WorkflowVersionEntity, 'definition'>;

const WITHOUT_DEFINITION = {
  id: true,
  workspaceId: true,
  workflowId: true,
  number: true,
  publishedBy: true,
  publishedAt: true,
} as const;

/** Reads versions. */
@Injectable()
export class WorkflowVersionsRepository {
  find(tx: Tx, workspaceId: string, id: string): Promise<WorkflowVersionEntity | null> {
    return managerOf(tx).findOneBy(WorkflowVersionEntity, { workspaceId, id });
  }

  findByNumber(
    tx: Tx,
    workspaceId: string,
    { workflowId, number }: { readonly workflowId: string; readonly number: number },
  ): Promise<WorkflowVersionEntity | null> {
    return managerOf(tx).findOneBy(WorkflowVersionEntity, { workspaceId, workflowId, number });
  }

  /** The versions with these ids, in no order. */
  async findRows(tx: Tx, workspaceId: string, ids: readonly string[]): Promise<WorkflowVersionRow[]> {
    if (ids.length === 0) return [];
    return managerOf(tx).find(WorkflowVersionEntity, {
      select: WITHOUT_DEFINITION,
      where: { workspaceId, id: In([...ids]) },
    });
  }

  /** The newest first. */
  list(
    tx: Tx,
    workspaceId: string,
    { workflowId, beforeNumber, limit }: VersionsBefore,
  ): Promise<WorkflowVersionRow[]> {
    return managerOf(tx).find(WorkflowVersionEntity, {
      select: WITHOUT_DEFINITION,
      where: {
        workspaceId,
        workflowId,
        ...(beforeNumber === null ? {} : { number: LessThan(beforeNumber) }),
      },
      order: { number: 'DESC' },
      take: limit,
    });
  }
}
