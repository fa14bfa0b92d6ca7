import { Injectable } from '@nestjs/common';
import { Engine } from '../engine/engine';
import { queueStatesOf } from '../runs/run-state';
import { Runs } from '../runs/runs.service';
import type { CanceledRuns, CancelRunsBody } from './cancel-all.dto';

/** Batches of one request, so that its time is bounded. */
const ROUNDS = 10;

/** Cancels the live runs of a workflow, archived or not. */
@Injectable()
export class CancelAll {
  constructor(
    private readonly engine: Engine,
    private readonly runs: Runs,
  ) {}

  /** Runs that are started meanwhile may be left over; `more` tells. Throws workflow.not_found. */
  async cancel(workspaceId: string, workflowId: string, { status }: CancelRunsBody): Promise<CanceledRuns> {
    await this.runs.requireWorkflow(workspaceId, workflowId, 'be archived');
    const states = queueStatesOf(status);
    let [canceled, requested, more] = [0, 0, true];
    for (let round = 0; more && round < ROUNDS; round += 1) {
      const some = await this.engine.cancelSome(workspaceId, workflowId, states);
      canceled += some.canceled;
      requested += some.requested;
      ({ more } = some);
      // Somebody else is at what is left.
      if (some.canceled + some.requested === 0) break;
    }
    return { canceled, requested, more };
  }
}
