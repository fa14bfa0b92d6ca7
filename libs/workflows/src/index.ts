export { WorkflowsModule } from './workflows.module';
export {
  type Admission,
  type AdmissionRequest,
  type AuditedAction,
  type AuthoringLimits,
  RunAdmission,
  WorkflowAudit,
  WorkflowLimits,
} from './ports';
