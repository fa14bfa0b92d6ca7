import { Module } from '@nestjs/common';
import { CatalogModule } from './catalog/catalog.module';
import { DeletedWorkspaceRuns } from './deletion/deleted-workspace-runs.loop';
import { CancelAll } from './control/cancel-all.service';
import { DeadLettersController } from './control/dead-letters.controller';
import { DeadLetters } from './control/dead-letters.service';
import { Decisions } from './control/decisions.service';
import { Explanations } from './control/explain.service';
import { Reruns } from './control/reruns.service';
import { Retries } from './control/retries.service';
import { RunControlController } from './control/run-control.controller';
import { WorkspaceRuns } from './deletion/workspace-runs.service';
import { CallbackUrls } from './engine/callback-urls';
import { ChildRuns } from './engine/child-runs';
import { Engine } from './engine/engine';
import { EngineWorkers } from './engine/engine-workers';
import { Gates } from './engine/gates';
import { HistoryController } from './history/history.controller';
import { HistoryUsages } from './history/history-usage.service';
import { MissingRuns } from './history/missing-runs.service';
import { RunDownloads } from './history/run-download.service';
import { RunHistory } from './history/run-history.service';
import { WorkspaceStreams } from './history/workspace-streams.service';
import { NodesModule } from './nodes/nodes.module';
import { CalledWorkflows } from './runs/called-workflows.service';
import { RunStreams } from './runs/run-streams.service';
import { RunsController } from './runs/runs.controller';
import { Runs } from './runs/runs.service';
import { ErrorRuns } from './runs/error-runs.loop';
import { SecretValues } from './secrets/secret-values.service';
import { SecretsController } from './secrets/secrets.controller';
import { Secrets } from './secrets/secrets.service';
import { FirePurger } from './triggers/schedules/fire-purger.loop';
import { SchedulerLoop } from './triggers/schedules/scheduler.loop';
import { SchedulesController } from './triggers/schedules/schedules.controller';
import { Schedules } from './triggers/schedules/schedules.service';
import { SchedulePreviewController } from './triggers/schedules/schedule-preview.controller';
import { hookControllers, hookProviders } from './triggers/hooks/hook-providers';
import { ApprovalPurger } from './waits/approval-purger.loop';
import { ApprovalsController } from './waits/approvals.controller';
import { Approvals } from './waits/approvals.service';
import { CallbacksController } from './waits/callbacks.controller';
import { Callbacks } from './waits/callbacks.service';

/** Workflows: authoring, running, triggers. Needs the ports of `ports.ts`. */
@Module({
  imports: [NodesModule, CatalogModule.with(NodesModule)],
  controllers: [
    RunControlController,
    RunsController,
    HistoryController,
    DeadLettersController,
    SchedulesController,
    SecretsController,
    ...hookControllers,
    ApprovalsController,
    CallbacksController,
    SchedulePreviewController,
  ],
  providers: [
    Engine,
    EngineWorkers,
    Gates,
    CallbackUrls,
    { provide: ChildRuns, useClass: CalledWorkflows },
    Runs,
    RunStreams,
    Reruns,
    DeadLetters,
    Retries,
    CancelAll,
    Decisions,
    Explanations,
    RunHistory,
    RunDownloads,
    HistoryUsages,
    WorkspaceStreams,
    MissingRuns,
    Schedules,
    SchedulerLoop,
    FirePurger,
    Secrets,
    SecretValues,
    ...hookProviders,
    Approvals,
    ApprovalPurger,
    Callbacks,
    ErrorRuns,
    WorkspaceRuns,
    DeletedWorkspaceRuns,
  ],
  exports: [CatalogModule, WorkspaceRuns],
})
export class WorkflowsModule {}
