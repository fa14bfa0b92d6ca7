import { AppError, type Problem } from '#platform';
import type { WorkflowDefinition } from '../definition/schema';
import { workflowErrors } from '../errors';
import type { AuthoringLimits } from '../ports';

/** What is wrong with the number of nodes, by the plan; null when nothing is. The pointer is into the definition. */
export function nodeLimitProblem({ nodes }: WorkflowDefinition, limits: AuthoringLimits): Problem | null {
  const allowed = limits.nodesPerWorkflow;
  if (allowed === null || nodes.length <= allowed) return null;
  return {
    pointer: '/nodes',
    code: 'plan_limit',
    message: `The workflow has ${nodes.length} nodes; the plan ${limits.planName} allows ${allowed}. Split it, or upgrade.`,
  };
}

/** The refusal of a graph that is larger than the plan allows. */
export function nodeLimitReached(problem: Problem, limits: AuthoringLimits): AppError {
  return limitReached('nodesPerWorkflow', limits.nodesPerWorkflow, {
    plan: limits.planName,
    detail: problem.message,
    problems: [{ ...problem, pointer: `/definition${problem.pointer}` }],
  });
}

/** The refusal of one workflow too many. */
export function workflowLimitReached(limits: AuthoringLimits): AppError {
  return limitReached('workflows', limits.workflows, {
    plan: limits.planName,
    detail: `The plan ${limits.planName} allows ${limits.workflows} workflows, and there are as many. Archive one, or upgrade.`,
  });
}

/** Every refusal by the plan has one shape: which limit, of which plan, how much it allows. */
function limitReached(
  limit: 'workflows' | 'nodesPerWorkflow',
  allowed: number | null,
  {
    plan,
    ...context
  }: { readonly plan: string; readonly detail: string; readonly problems?: readonly Problem[] },
): AppError {
  return new AppError(workflowErrors.limit_reached, { ...context, meta: { limit, plan, allowed } });
}
