export { WorkflowCounts } from './catalog/workflow-counts.service';
export { WorkspaceRuns } from './deletion/workspace-runs.service';
export { previewSchedule } from './triggers/schedules/schedule-preview';
export { schedulePreviewBody, type SchedulePreviewView } from './triggers/schedules/schedule-preview.dto';
export { sealedColumns } from './sealed-columns';
export { WorkflowsModule } from './workflows.module';
export {
  type Admission,
  type AdmissionRequest,
  type AuditedAction,
  type AuthoringLimits,
  DeletedWorkspaces,
  RunAdmission,
  RunLimits,
  WorkflowAudit,
  WorkflowLimits,
  type WorkspaceRunLimits,
} from './ports';
