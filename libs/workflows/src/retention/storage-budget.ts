import { type Db, type Logger, type LoopDuty, statement } from '#platform';
import type { RunLimits } from '../ports';
import { removeFinished } from './remove-runs';

/** Workspaces looked at together. */
const PAGE = 1_000;
/** Runs removed in one transaction, and looked through for finished ones. */
const BATCH = 50;
/** Batches of one workspace and round: the others have their turn. */
const BATCHES = 40;

/** Purpose: a page of workspaces with what their histories take up. Index: workspace_history_pkey. Rows: at most $2. */
const listTallies = statement<
  [afterId: string, limit: number],
  { readonly workspaceId: string; readonly bytes: string }
>(
  'list-history-tallies',
  `select workspace_id as "workspaceId", sum(bytes)::text as bytes from workspace_history
    where workspace_id > $1::uuid group by workspace_id order by workspace_id limit $2`,
);

/**
 * Purpose: a workspace's oldest runs, behind one. Index: workflow_runs_workspace_id_id_idx of each partition, in order.
 * Rows: at most $3.
 */
const oldestRuns = statement<
  [workspaceId: string, afterId: string, limit: number],
  { readonly runId: string; readonly retentionDays: number; readonly finished: boolean }
>(
  'oldest-runs',
  `select id as "runId", retention_days as "retentionDays", outcome is not null as finished from workflow_runs
    where workspace_id = $1::uuid and id > $2::uuid order by id limit $3`,
);

const NOTHING = '00000000-0000-0000-0000-000000000000';

/**
 * Keeps histories within what the plan stores: where there is more, the oldest finished runs go, in small batches, until
 * it is less. Starts are never refused for it, and what is live stays. However many processes do this at a time.
 */
export function storageBudget(
  services: { readonly db: Db; readonly logger: Logger; readonly limits: RunLimits },
  cellId: string,
): LoopDuty {
  const { db, limits } = services;
  const logger = services.logger.scoped('retention', { cell: cellId });
  return {
    name: `history-budget-${cellId}`,
    role: 'scheduler',
    everyMs: 5 * 60_000,
    runOnce: async (signal) => {
      let rows = 0;
      let again = false;
      for (let after = NOTHING; !signal.aborted;) {
        const tallies = await db.execute(cellId, listTallies, after, PAGE);
        const allowed = await limits.of(tallies.map(({ workspaceId }) => workspaceId));
        for (const { workspaceId, bytes } of tallies) {
          const budget = allowed.get(workspaceId)?.historyBytes ?? null;
          if (budget === null || Number(bytes) <= budget) continue;
          const freed = await free({ db, cellId }, workspaceId, Number(bytes) - budget);
          logger.info('the oldest runs of a workspace went, to keep its storage budget', {
            workspaceId,
            budget,
            ...freed,
          });
          rows += freed.runs;
          again ||= freed.more;
        }
        const last = tallies.at(-1);
        if (!last || tallies.length < PAGE) break;
        after = last.workspaceId;
      }
      return { rows, again };
    },
  };
}

/** Removes the oldest finished runs until so many bytes are free; says whether a later round may free more. */
async function free(
  cell: { readonly db: Db; readonly cellId: string },
  workspaceId: string,
  wanted: number,
): Promise<{ readonly runs: number; readonly bytes: number; readonly more: boolean }> {
  let runs = 0;
  let bytes = 0;
  let after = NOTHING;
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const oldest = await cell.db.execute(cell.cellId, oldestRuns, workspaceId, after, BATCH);
    const removed = await removeFinished(
      cell,
      oldest.filter(({ finished }) => finished),
      'budget',
    );
    runs += removed.length;
    for (const run of removed) bytes += run.bytes;
    const last = oldest.at(-1);
    if (bytes >= wanted || !last || oldest.length < BATCH) return { runs, bytes, more: false };
    after = last.runId;
  }
  return { runs, bytes, more: runs > 0 };
}
