/** What a plan allows. Null: no limit. */
export interface PlanLimits {
  readonly runsPerPeriod: number | null;
  readonly seats: number | null;
  readonly workflows: number | null;
  readonly nodesPerWorkflow: number;
  /** Runs of the workspace that may be executing at a time. */
  readonly concurrentRuns: number | null;
  /** Runs of one workflow that may be executing at a time. */
  readonly concurrentRunsPerWorkflow: number | null;
  /** The guard against workflows that start themselves. */
  readonly startsPerFiveMinutes: number | null;
  readonly retentionDays: number;
  /** What finished runs may take up, in bytes of their JSON. */
  readonly historyBytes: number | null;
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

const MIB = 1024 * 1024;

const solo: Plan = {
  slug: 'solo',
  name: 'Solo',
  overage: 'refuse',
  limits: {
    runsPerPeriod: 250,
    seats: 1,
    workflows: 3,
    nodesPerWorkflow: 10,
    concurrentRuns: 5,
    concurrentRunsPerWorkflow: 1,
    startsPerFiveMinutes: 500,
    retentionDays: 1,
    historyBytes: 256 * MIB,
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
    concurrentRuns: 200,
    concurrentRunsPerWorkflow: 50,
    startsPerFiveMinutes: 5_000,
    retentionDays: 30,
    historyBytes: 20_480 * MIB,
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
    concurrentRuns: null,
    concurrentRunsPerWorkflow: null,
    startsPerFiveMinutes: null,
    retentionDays: 365,
    historyBytes: null,
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
