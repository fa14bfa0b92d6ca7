import { Module } from '@nestjs/common';
import { CatalogModule } from './catalog/catalog.module';
import { Engine } from './engine/engine';
import { NodesModule } from './nodes/nodes.module';
import { RunStreams } from './runs/run-streams.service';
import { RunsController } from './runs/runs.controller';
import { Runs } from './runs/runs.service';
import { HooksController } from './triggers/hooks.controller';
import { Hooks } from './triggers/hooks.service';

/** Workflows: authoring, running, triggers. Needs the ports RunAdmission, WorkflowLimits and WorkflowAudit. */
@Module({
  imports: [NodesModule, CatalogModule.with(NodesModule)],
  controllers: [RunsController, HooksController],
  providers: [Engine, Runs, RunStreams, Hooks],
})
export class WorkflowsModule {}
