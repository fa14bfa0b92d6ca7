import { Injectable } from '@nestjs/common';
import { AppError, Clock, Db, platformErrors } from '#platform';
import { planOf } from '../plans/plan-catalog';
import { WorkspacePlans } from '../ports';
import { monthlyPeriod } from './period';
import { findUsage } from './sql/find-usage.sql';
import type { UsageView } from './usage.dto';

/** Shows people what their workspace has used. Looking changes nothing: it opens no period. */
@Injectable()
export class Usage {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly plans: WorkspacePlans,
  ) {}

  /** The current period of a workspace. Throws request.not_found. */
  async current(workspaceId: string): Promise<UsageView> {
    const found = (await this.plans.of([workspaceId])).get(workspaceId);
    if (!found) throw new AppError(platformErrors.not_found, { detail: 'No such resource.' });
    const plan = planOf(found.plan);
    const { start, end } = monthlyPeriod(found.anchorAt, this.clock.now());
    const [open] = await this.db.tenant(workspaceId, (tx) => tx.query(findUsage, workspaceId, start));
    const { used, limit } = open ?? { used: 0, limit: plan.limits.runsPerPeriod };
    return {
      plan: plan.slug,
      period: { start: start.toISOString(), end: end.toISOString() },
      runs: { used, limit, remaining: limit === null ? null : limit - used },
    };
  }
}
