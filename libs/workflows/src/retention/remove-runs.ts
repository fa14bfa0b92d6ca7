import type { Db } from '#platform';
import { historyMetrics } from './history-metrics';
import { instantOf, periodOf } from './periods';
import { type RemovedRun, removeRuns, takeOffTally } from './remove-runs.sql';

/** A run by its id and the class it is in. */
export interface ClassedRun {
  readonly runId: string;
  readonly retentionDays: number;
}

/** Removes finished runs and takes them off their workspaces' tallies, both or neither. */
export async function removeFinished(
  { db, cellId }: { readonly db: Db; readonly cellId: string },
  runs: readonly ClassedRun[],
  reason: 'retention' | 'budget',
): Promise<readonly RemovedRun[]> {
  if (runs.length === 0) return [];
  const removed = await db.cell(cellId, async (tx) => {
    const gone = await tx.query(
      removeRuns,
      runs.map(({ runId }) => runId),
      [...new Set(runs.map(({ retentionDays }) => retentionDays))],
    );
    const sums = summed(gone);
    if (sums.length > 0) {
      await tx.query(
        takeOffTally,
        sums.map(({ workspaceId }) => workspaceId),
        sums.map(({ retentionDays }) => retentionDays),
        sums.map(({ start }) => start),
        sums.map((sum) => sum.runs),
        sums.map(({ bytes }) => bytes),
      );
    }
    return gone;
  });
  historyMetrics.removed.inc({ reason }, removed.length);
  return removed;
}

interface Sum {
  readonly workspaceId: string;
  readonly retentionDays: number;
  readonly start: Date;
  runs: number;
  bytes: number;
}

function summed(removed: readonly RemovedRun[]): readonly Sum[] {
  const sums = new Map<string, Sum>();
  for (const { workspaceId, retentionDays, runId, bytes } of removed) {
    const start = periodOf(retentionDays, instantOf(runId)).from;
    const key = `${workspaceId} ${retentionDays} ${start.getTime()}`;
    const sum = sums.get(key) ?? { workspaceId, retentionDays, start, runs: 0, bytes: 0 };
    sum.runs += 1;
    sum.bytes += bytes;
    sums.set(key, sum);
  }
  return [...sums.values()];
}
