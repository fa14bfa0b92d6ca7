import { Injectable } from '@nestjs/common';
import { Db } from '#platform';
import { Engine } from '../engine/engine';
import { hasLiveRuns, listLiveRunsOf } from './live-runs.sql';
import { type Purge, purgeRest, purgeRuns } from './purge.sql';

/** Batches of one round, each of them a transaction: a round looks through the queue, which is to pay. */
const BATCHES = 40;
/** Cancellations of one round. */
const BATCH_CANCELS = 500;

/** How far a purge has come; the whole answer to whoever purges workspaces. */
export interface WorkflowsPurged {
  readonly rows: number;
  readonly done: boolean;
}

/** Stops and deletes what deleted workspaces have in this lib. */
@Injectable()
export class WorkspaceRuns {
  constructor(
    private readonly db: Db,
    private readonly engine: Engine,
  ) {}

  /**
   * Cancels live runs of workspaces, at most a batch of each cell, as a person would: waiting ones at once, running ones
   * by asking their worker. Gives how many were canceled or asked for; fewer than a batch means that none are left out.
   */
  async stop(workspaceIds: readonly string[]): Promise<{ readonly stopped: number; readonly more: boolean }> {
    let stopped = 0;
    let more = false;
    for (const [cellId, inCell] of await this.#byCell(workspaceIds)) {
      const live = await this.db.execute(cellId, listLiveRunsOf, inCell.join(','), BATCH_CANCELS);
      for (const { workspaceId, runId } of live) await this.engine.cancel(workspaceId, runId);
      stopped += live.length;
      more ||= live.length === BATCH_CANCELS;
    }
    return { stopped, more };
  }

  /**
   * Deletes some of what a workspace has here. Nothing is deleted while a worker holds one of its runs: what the
   * worker writes afterwards would belong to no run. A worker that is asked lets go, and one that is dead is rescued.
   */
  async purge(workspaceId: string): Promise<WorkflowsPurged> {
    const cellId = await this.db.cellOf(workspaceId);
    const { stopped } = await this.stop([workspaceId]);
    const [held] = await this.db.execute(cellId, hasLiveRuns, workspaceId);
    if (held?.live) return { rows: stopped, done: false };
    // The next table may be referred to by the one before.
    for (const purge of [purgeRuns, ...purgeRest]) {
      const { rows, done } = await this.#batches(cellId, purge, workspaceId);
      if (!done || rows > 0) return { rows, done: false };
    }
    return { rows: 0, done: true };
  }

  /** Done is a table in which nothing is found; what another process has in its hands is found and not deleted. */
  async #batches(cellId: string, purge: Purge, workspaceId: string): Promise<WorkflowsPurged> {
    let rows = 0;
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const [gone] = await this.db.execute(cellId, purge, workspaceId);
      if (!gone?.found) return { rows, done: true };
      if (gone.deleted === 0) break;
      rows += gone.deleted;
    }
    return { rows, done: false };
  }

  async #byCell(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const cells = new Map<string, string[]>();
    for (const workspaceId of workspaceIds) {
      const cellId = await this.db.cellOf(workspaceId);
      const others = cells.get(cellId);
      if (others) others.push(workspaceId);
      else cells.set(cellId, [workspaceId]);
    }
    return cells;
  }
}
