import { Injectable } from '@nestjs/common';
import { planOf, plans, WorkspacePlans } from '#billing';
import { RunLimits, type WorkspaceRunLimits } from '#workflows';

/** What the runs of a workspace may take is said by its plan. */
@Injectable()
export class RunLimitsAdapter extends RunLimits {
  constructor(private readonly workspacePlans: WorkspacePlans) {
    super();
  }

  async of(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, WorkspaceRunLimits>> {
    const found = await this.workspacePlans.of(workspaceIds);
    return new Map(
      [...found].map(([workspaceId, { plan }]) => {
        const { name, limits } = planOf(plan);
        return [workspaceId, { planName: name, ...limits }] as const;
      }),
    );
  }

  retentionClasses(): readonly number[] {
    return [...new Set(plans.map(({ limits }) => limits.retentionDays))];
  }
}
