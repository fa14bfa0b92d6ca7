import { Injectable } from '@nestjs/common';
import { AppError, Clock } from '#platform';
import { runErrors } from '../errors';
import { expiryOf, instantOf } from '../retention/periods';
import { RunLimits } from '../ports';

/** Says why there is no run. */
@Injectable()
export class MissingRuns {
  constructor(
    private readonly limits: RunLimits,
    private readonly clock: Clock,
  ) {}

  /**
   * What is older than the workspace's plan keeps runs is gone, whether it was ever there or not: an id tells its time by
   * itself, and nothing else is told.
   */
  async error(workspaceId: string, runId: string): Promise<AppError> {
    const days = (await this.limits.of([workspaceId])).get(workspaceId)?.retentionDays;
    const isOld = days !== undefined && instantOf(runId) < expiryOf(days, this.clock.now());
    return isOld ? expired() : new AppError(runErrors.not_found, { detail: 'There is no such run.' });
  }
}

/** For a run that is past its time, although its rows may still stand. */
export function expired(): AppError {
  return new AppError(runErrors.expired, {
    detail: 'The run is older than runs are kept. How long that is depends on the plan of the workspace.',
  });
}
