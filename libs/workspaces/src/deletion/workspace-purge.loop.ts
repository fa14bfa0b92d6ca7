import { Injectable } from '@nestjs/common';
import {
  AppError,
  Clock,
  Db,
  type LoopDuty,
  type LoopResult,
  platformErrors,
  TenantDirectory,
} from '#platform';
import { type PurgeProgress, WorkspacePurge } from '../ports';
import { beginPurges, endPurge } from './deletion.sql';

/**
 * Deletes workspaces that were not restored in time, with everything of theirs: first what other libs keep, batch by
 * batch, then what this lib keeps and the way to find them. Each workspace of a round gets a few batches, so that a large
 * one does not hold up the others. It may stop anywhere and be taken up again by any process;
 * several that work on one workspace share its batches.
 */
@Injectable()
export class WorkspacePurgeDuty implements LoopDuty {
  readonly name = 'workspace-purge';
  readonly role = 'scheduler';
  readonly everyMs = 60_000;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly directory: TenantDirectory,
    private readonly others: WorkspacePurge,
  ) {}

  /** One that cannot be purged (its cell is away, say) does not keep the rest; its error is told when they are done. */
  async runOnce(signal: AbortSignal): Promise<LoopResult> {
    const due = await this.db.executeControl(beginPurges, this.clock.pinned());
    let fault: Error | null = null;
    let rows = 0;
    let again = false;
    for (const { id } of due) {
      if (signal.aborted) break;
      try {
        const progress = await this.#purge(id);
        rows += progress.rows;
        // A workspace that waits for a worker to let go of a run is looked at again in its own time.
        again ||= progress.rows > 0 && !progress.done;
      } catch (error) {
        if (!isGone(error)) fault ??= error instanceof Error ? error : new Error(String(error));
      }
    }
    if (fault) throw fault;
    return { rows, again };
  }

  async #purge(workspaceId: string): Promise<PurgeProgress> {
    const progress = await this.others.purge(workspaceId);
    if (!progress.done) return progress;
    const ended = await this.db.control(async (tx) => {
      await this.directory.forget(tx, workspaceId);
      return tx.query(endPurge, workspaceId);
    });
    return { rows: progress.rows + ended.length, done: true };
  }
}

/** Another process has purged the last of it meanwhile: there is no place left to look at. */
function isGone(error: unknown): boolean {
  return error instanceof AppError && error.type === platformErrors.not_found;
}
