import { parseConfig } from '#platform';
import { planOf, plans, type PlanLimits } from './plan-catalog';

const unlimited = (limit: number | null) => limit ?? Number.POSITIVE_INFINITY;

describe('plan catalogue', () => {
  it('finds each plan by its slug', () => {
    expect(plans.map(({ slug }) => planOf(slug))).toEqual(plans);
  });

  it.each(['', 'Solo', 'constructor', '__proto__', 'retired'])(
    'takes the unknown slug %j for solo',
    (slug) => {
      expect(planOf(slug).slug).toBe('solo');
    },
  );

  it('leads upwards: no limit of the next plan is tighter, and the runs are more', () => {
    for (const plan of plans.slice(0, -1)) {
      const next = planOf(plan.upgradeTo ?? '');
      for (const name of Object.keys(plan.limits) as (keyof PlanLimits)[]) {
        expect(unlimited(next.limits[name])).toBeGreaterThanOrEqual(unlimited(plan.limits[name]));
      }
      expect(unlimited(next.limits.runsPerPeriod)).toBeGreaterThan(unlimited(plan.limits.runsPerPeriod));
    }
    expect(plans.at(-1)?.upgradeTo).toBeNull();
  });

  it('knows the plans that DEFAULT_PLAN may name, and sets an installation of one no limit of runs', () => {
    for (const { slug } of plans) expect(parseConfig({ DEFAULT_PLAN: slug }).values.defaultPlan).toBe(slug);
    expect(planOf(parseConfig({}).values.defaultPlan).limits.runsPerPeriod).toBeNull();
  });
});
