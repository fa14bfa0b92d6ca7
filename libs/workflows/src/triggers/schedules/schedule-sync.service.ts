import { Injectable } from '@nestjs/common';
import { Clock, Ids, type Tx } from '#platform';
import type { NodeDefinition, WorkflowDefinition } from '../../definition/schema';
import { triggerScheduleNode } from '../../nodes/trigger-schedule.node';
import { type NextFire, nextFire, type OpenSchedule, ScheduleBook } from './schedule-book';
import {
  lockSchedulesOf,
  type PublishedSchedule,
  putSchedules,
  readNow,
  retireSchedules,
  type StandingSchedule,
} from './schedule-sync.sql';

/** A version whose schedules are to hold from now on. */
export interface PublishedVersion {
  readonly workspaceId: string;
  readonly workflowId: string;
  readonly versionId: string;
  readonly definition: WorkflowDefinition;
}

/** Keeps the schedules of a workflow as its published version has them, in the transaction that publishes it. */
@Injectable()
export class ScheduleSync {
  constructor(
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly book: ScheduleBook,
  ) {}

  /**
   * Gives the schedule nodes of a version their schedules. One whose params are the same goes on where it stands, so that
   * publishing neither loses an occurrence nor fires it again; one that was changed counts from now.
   */
  async publish(tx: Tx, { workspaceId, workflowId, versionId, definition }: PublishedVersion): Promise<void> {
    const pinned = this.clock.pinned();
    const nodes = definition.nodes.filter(({ type }) => type === triggerScheduleNode.type);
    const nodeIds = nodes.map(({ id }) => id);
    const standing = await tx.query(lockSchedulesOf, workspaceId, workflowId, pinned);
    if (standing.some(({ live, nodeId }) => live && !nodeIds.includes(nodeId))) {
      await tx.query(retireSchedules, workspaceId, workflowId, nodeIds, pinned);
    }
    if (nodes.length === 0) return;
    const nowMs = await this.#nowMs(tx);
    const byNode = new Map(standing.map((schedule) => [schedule.nodeId, schedule]));
    const published = nodes.map((node) => this.#published(node, byNode.get(node.id), nowMs));
    await tx.query(
      putSchedules,
      workspaceId,
      workflowId,
      versionId,
      published.map(({ id }) => id),
      nodeIds,
      published.map(({ params }) => params),
      published.map(({ dueAt }) => dueAt),
      published.map(({ fireAt }) => fireAt),
      published.filter(({ changed }) => changed).map(({ nodeId }) => nodeId),
      pinned,
    );
  }

  /** A workflow that is archived fires nothing any more. */
  async retire(tx: Tx, workspaceId: string, workflowId: string): Promise<void> {
    await tx.query(retireSchedules, workspaceId, workflowId, [], this.clock.pinned());
  }

  #published(
    { id: nodeId, params }: Pick<NodeDefinition, 'id' | 'params'>,
    standing: StandingSchedule | undefined,
    nowMs: number,
  ): PublishedSchedule {
    const text = JSON.stringify(params);
    const id = standing?.id ?? this.ids.next();
    const changed = !standing?.live || JSON.stringify(standing.params) !== text;
    const next = changed ? this.#nextOf(this.book.open(id, params), standing, nowMs) : stillNext(standing);
    return { id, nodeId, params: text, dueAt: next?.dueAt ?? null, fireAt: next?.fireAt ?? null, changed };
  }

  /** The next occurrence of one that counts from now; from the end of its pause when it is paused. */
  #nextOf(open: OpenSchedule, standing: StandingSchedule | undefined, nowMs: number): NextFire | null {
    if (standing?.paused && standing.pausedUntil === null) return null;
    const fromMs = standing?.paused ? (standing.pausedUntil?.getTime() ?? nowMs) - 1 : nowMs;
    return nextFire(open, fromMs);
  }

  async #nowMs(tx: Tx): Promise<number> {
    const [row] = await tx.query(readNow, this.clock.pinned());
    if (row === undefined) throw new Error('The database did not tell its time.');
    return row.now.getTime();
  }
}

function stillNext({ dueAt, fireAt }: StandingSchedule): NextFire | null {
  return dueAt && fireAt && { dueAt: dueAt.toISOString(), fireAt: fireAt.toISOString() };
}
