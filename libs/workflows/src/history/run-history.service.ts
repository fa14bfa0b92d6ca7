import { Injectable } from '@nestjs/common';
import { Clock, Db, encodeCursor, type Page } from '#platform';
import { type RunSummary, toSummary } from '../runs/runs.dto';
import type { RunRow } from '../runs/read-runs.sql';
import { inOrder, type ListRow, listRunsBy } from './list-runs.sql';
import { paramsOf, type RunFilter, sourceOf } from './run-filter';

/** Finds runs. */
@Injectable()
export class RunHistory {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
  ) {}

  /**
   * A page of runs, newest first. It examines so many runs at most, so that it takes the same time whatever is looked
   * for; one that has not found enough among them may hold less than the limit, and the next goes on from there.
   */
  async list(
    workspaceId: string,
    filter: RunFilter,
    { limit, beforeId }: { readonly limit: number; readonly beforeId: string | null },
  ): Promise<Page<RunSummary>> {
    const scope = { workspaceId, beforeId, limit: limit + 1, now: this.clock.pinned() };
    const rows = await this.db.tenant(workspaceId, async (tx) => {
      await tx.query(inOrder);
      return tx.query(listRunsBy[sourceOf(filter)], ...paramsOf(filter, scope));
    });
    const found = rows.filter(isFound);
    const data = found.slice(0, limit);
    const next = found.length > limit ? data.at(-1)?.id : rows[0]?.scanEnd;
    return {
      data: data.map(toSummary),
      hasMore: typeof next === 'string',
      nextCursor: typeof next === 'string' ? encodeCursor({ id: next }) : null,
    };
  }
}

function isFound(row: ListRow): row is RunRow & { readonly scanEnd: string | null } {
  return row.id !== null;
}
