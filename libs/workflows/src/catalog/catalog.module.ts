import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { ScheduleBook } from '../triggers/schedules/schedule-book';
import { ScheduleSync } from '../triggers/schedules/schedule-sync.service';
import { HookUrls } from '../triggers/hooks/hook-token';
import { CatalogEntitiesModule } from './catalog.entity';
import { NodeTypesController } from './node-types.controller';
import { PublishedWorkflows } from './published-workflows.service';
import { Publishing } from './publishing.service';
import { WaitingRuns } from './waiting-runs.service';
import { WorkflowCounts } from './workflow-counts.service';
import { WorkflowHooksRepository } from './workflow-hooks.repository';
import { WorkflowVersionsController } from './workflow-versions.controller';
import { WorkflowVersionsRepository } from './workflow-versions.repository';
import { WorkflowsController } from './workflows.controller';
import { WorkflowsRepository } from './workflows.repository';
import { Workflows } from './workflows.service';

/** Authoring: workflows, drafts, versions, and what runs are started from. Needs the ports WorkflowLimits and WorkflowAudit. */
@Module({
  controllers: [WorkflowsController, WorkflowVersionsController, NodeTypesController],
  providers: [
    HookUrls,
    ScheduleBook,
    ScheduleSync,
    PublishedWorkflows,
    Publishing,
    WaitingRuns,
    Workflows,
    WorkflowCounts,
    WorkflowsRepository,
    WorkflowVersionsRepository,
    WorkflowHooksRepository,
  ],
  exports: [PublishedWorkflows, HookUrls, ScheduleBook, WorkflowCounts, WorkflowHooksRepository],
})
export class CatalogModule {
  /** The module with the one that exports the `NodeKindRegistry`. */
  static with(nodeKinds: Type): DynamicModule {
    return { module: CatalogModule, imports: [nodeKinds, CatalogEntitiesModule] };
  }
}
