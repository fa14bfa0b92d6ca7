import { AppError, defineErrors } from '#platform';
import { planOf } from './plans/plan-catalog';

/** What can go wrong with plans and payment. */
export const billingErrors = defineErrors('billing', {
  run_limit_reached: { kind: 'limit', title: 'The plan allows no more runs in this period' },
  seat_limit_reached: { kind: 'limit', title: 'The plan has no seat for one more person' },
});

/** The one shape of every refusal by a plan: `meta` of the error, members of the problem document. */
export interface PlanLimitReached {
  /** The name of the limit in the plan catalogue, e.g. `runsPerPeriod`. */
  readonly limit: string;
  readonly plan: string;
  readonly allowed: number;
  /** The plan that allows more; null when there is none. */
  readonly upgradeTo: string | null;
  /** When the limit begins anew, ISO 8601; null when only an upgrade helps. */
  readonly resetsAt: string | null;
}

/** The refusal of a run: names the limit, the plan, when it begins anew and which plan allows more. */
export function runLimitReached(taken: {
  readonly plan: string;
  readonly limit: number;
  readonly periodEnd: Date;
}): AppError {
  const plan = planOf(taken.plan);
  const resetsAt = taken.periodEnd.toISOString();
  const upgrade = plan.upgradeTo === null ? '' : ` or upgrade to the plan ${planOf(plan.upgradeTo).name}`;
  const meta: PlanLimitReached = {
    limit: 'runsPerPeriod',
    plan: plan.slug,
    allowed: taken.limit,
    upgradeTo: plan.upgradeTo,
    resetsAt,
  };
  return new AppError(billingErrors.run_limit_reached, {
    detail: `All ${taken.limit} runs of this period on the plan ${plan.name} are used. Wait until ${resetsAt}${upgrade}.`,
    meta: { ...meta },
  });
}

/** The refusal of a further member: names the limit, the plan, and which plan has more seats. */
export function seatLimitReached(slug: string): AppError {
  const plan = planOf(slug);
  const allowed = plan.limits.seats ?? 0;
  const upgrade = plan.upgradeTo === null ? '' : ` or upgrade to the plan ${planOf(plan.upgradeTo).name}`;
  const meta: PlanLimitReached = {
    limit: 'seats',
    plan: plan.slug,
    allowed,
    upgradeTo: plan.upgradeTo,
    resetsAt: null,
  };
  return new AppError(billingErrors.seat_limit_reached, {
    detail: `The plan ${plan.name} has ${allowed} ${allowed === 1 ? 'seat' : 'seats'}; members and open invitations take one each. Remove a member, revoke an invitation${upgrade}.`,
    meta: { ...meta },
  });
}
