import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AppError, Clock, Db, Logger, type LoopDuty, type LoopResult, Loops } from '#platform';
import { listUnheard, putOffErrorRun, setErrorRun, type UnheardFailure } from './error-runs.sql';
import { Runs } from './runs.service';

const BATCH = 100;
/** A refusal that may pass, by quota or a limit, is tried again after so long, and for so long. */
const AGAIN_SECONDS = 60;
const PATIENCE_MS = 24 * 3600 * 1000;

/**
 * Starts the error workflow for each run that failed. The failure is noted with the run's end; the run that tells of it
 * is started under a key of its own, so that two processes, or one that dies in between, start one.
 */
@Injectable()
export class ErrorRuns implements LoopDuty, OnModuleInit {
  readonly name = 'error-runs';
  readonly role = 'worker';
  readonly everyMs = 1_000;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly runs: Runs,
    private readonly loops: Loops,
    private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.loops.add(this);
  }

  async runOnce(): Promise<LoopResult> {
    let found = 0;
    for (const { id: cellId } of await this.db.cells.list()) {
      const failures = await this.db.execute(cellId, listUnheard, this.clock.pinned(), BATCH);
      for (const failure of failures) await this.#tell(cellId, failure);
      found = Math.max(found, failures.length);
    }
    return { rows: found, again: found === BATCH };
  }

  async #tell(cellId: string, failure: UnheardFailure): Promise<void> {
    const { runId, workspaceId, errorWorkflowId } = failure;
    try {
      const { id } = await this.runs.start({
        workspaceId,
        workflowId: errorWorkflowId,
        triggerType: 'trigger.error',
        triggerNode: null,
        startedBy: `run:${runId}`,
        input: eventOf(failure),
        priority: null,
        key: { key: `§error ${runId}`, lasting: true },
        origin: { errorOf: runId },
      });
      await this.db.execute(cellId, setErrorRun, runId, id);
    } catch (error) {
      if (!(error instanceof AppError) || error.type.kind === 'unavailable') throw error;
      const sinceMs = this.clock.now().getTime() - failure.failedAt.getTime();
      const mayPass = error.type.kind === 'limit' && sinceMs < PATIENCE_MS;
      const why = error.context.detail;
      this.logger
        .scoped('runs')
        .warn('An error workflow could not be started.', { runId, errorWorkflowId, why, mayPass });
      await this.db.execute(
        cellId,
        putOffErrorRun,
        runId,
        this.clock.pinned(),
        mayPass ? AGAIN_SECONDS : null,
      );
    }
  }
}

function eventOf(failure: UnheardFailure) {
  const { runId, workflowId, triggerKind, startedBy, input, error, createdAt, failedAt } = failure;
  return {
    run: {
      id: runId,
      workflowId,
      trigger: triggerKind,
      startedBy,
      createdAt: createdAt.toISOString(),
      failedAt: failedAt.toISOString(),
    },
    error,
    input,
  };
}
