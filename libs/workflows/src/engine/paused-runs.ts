import type { Db } from '#platform';
import { listPaused, lockTurnsOf, resumeRuns } from './sql/paused-runs.sql';

/** Workflows of one sweep; the next goes on behind them. */
const SWEEP_WORKFLOWS = 200;
const BATCH_RUNS = 500;

/**
 * Runs of paused workflows that claims have put aside: brings them back once their workflow goes on. Nobody must tell;
 * a run that was put aside while its workflow was being resumed is found by the sweep.
 */
export class PausedRuns {
  #after: string | null = null;

  constructor(
    private readonly db: Db,
    private readonly cellId: string,
  ) {}

  /** Puts the paused runs of a workflow that goes on back into the queue, a batch at a time. */
  async resume(workflowId: string): Promise<number> {
    for (let rows = 0; ;) {
      const resumed = await this.db.cell(this.cellId, async (tx) => {
        const [turns] = await tx.query(lockTurnsOf, workflowId);
        return turns ? (await tx.query(resumeRuns, workflowId, BATCH_RUNS)).length : 0;
      });
      rows += resumed;
      if (resumed === 0) return rows;
    }
  }

  async sweep(): Promise<number> {
    const found = await this.db.execute(this.cellId, listPaused, this.#after, SWEEP_WORKFLOWS);
    this.#after = found.length === SWEEP_WORKFLOWS ? (found.at(-1)?.workflowId ?? null) : null;
    let rows = 0;
    for (const { workflowId, resumed } of found) if (resumed) rows += await this.resume(workflowId);
    return rows;
  }
}
