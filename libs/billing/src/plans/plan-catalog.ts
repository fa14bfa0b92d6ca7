/** What a plan allows. Null: no limit. */
export interface PlanLimits {
  readonly runsPerPeriod: number | null;
  readonly seats: number | null;
  readonly workflows: number | null;
  readonly nodesPerWorkflow: number;
  /** Runs of one workspace that may be executing at a time. */
  readonly concurrentRuns: number;
  readonly retentionDays: number;
}

/** One plan of the catalogue. */
export interface Plan {
  readonly slug: PlanSlug;
  readonly name: string;
  /**
   * What becomes of runs beyond `runsPerPeriod` where they can be charged for. Where they cannot, every plan refuses
   * them: nobody is given runs that no one could ever bill.
   */
  readonly overage: 'refuse' | 'charge';
  readonly limits: PlanLimits;
  /** Where a workspace goes that needs more; null at the top. */
  readonly upgradeTo: PlanSlug | null;
}

export type PlanSlug = 'solo' | 'workspace' | 'enterprise';

const solo: Plan = {
  slug: 'solo',
  name: 'Solo',
  overage: 'refuse',
  limits: {
    runsPerPeriod: 250,
    seats: 1,
    workflows: 3,
    nodesPerWorkflow: 10,
    concurrentRuns: 1,
    retentionDays: 1,
  },
  upgradeTo: 'workspace',
};

const workspace: Plan = {
  slug: 'workspace',
  name: 'Workspace',
  overage: 'charge',
  limits: {
    runsPerPeriod: 20_000,
    seats: 8,
    workflows: null,
    nodesPerWorkflow: 200,
    concurrentRuns: 50,
    retentionDays: 30,
  },
  upgradeTo: 'enterprise',
};

const enterprise: Plan = {
  slug: 'enterprise',
  name: 'Enterprise',
  overage: 'refuse',
  limits: {
    runsPerPeriod: null,
    seats: null,
    workflows: null,
    nodesPerWorkflow: 500,
    concurrentRuns: 10_000,
    retentionDays: 365,
  },
  upgradeTo: null,
};

/** Every plan, from the smallest to the largest. */
export const plans: readonly Plan[] = [solo, workspace, enterprise];

/**
 * The plan of a slug. One that is not in the catalogue (a plan taken out of it) counts as the smallest: a wrong row
 * then limits its own workspace, and neither gives runs away nor stops a batch in which other workspaces stand.
 */
export function planOf(slug: string): Plan {
  return plans.find((plan) => plan.slug === slug) ?? solo;
}
