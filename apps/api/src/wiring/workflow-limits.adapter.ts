import { Injectable } from '@nestjs/common';
import { planOf, WorkspacePlans } from '#billing';
import { type AuthoringLimits, WorkflowLimits } from '#workflows';
import { AppError, platformErrors } from '#platform';

/** What authors may do is said by the plan of their workspace. */
@Injectable()
export class WorkflowLimitsAdapter extends WorkflowLimits {
  constructor(private readonly plans: WorkspacePlans) {
    super();
  }

  async of(workspaceId: string): Promise<AuthoringLimits> {
    const found = (await this.plans.of([workspaceId])).get(workspaceId);
    if (!found) throw new AppError(platformErrors.not_found, { detail: 'No such resource.' });
    const { name, limits } = planOf(found.plan);
    return { planName: name, workflows: limits.workflows, nodesPerWorkflow: limits.nodesPerWorkflow };
  }
}
