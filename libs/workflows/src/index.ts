export { WorkflowsModule } from './workflows.module';
export { hookErrors, runErrors, workflowErrors } from './errors';
export {
  type Admission,
  type AdmissionRequest,
  type AuditedAction,
  type AuthoringLimits,
  RunAdmission,
  WorkflowAudit,
  WorkflowLimits,
} from './ports';
export { tables as workflowsTables } from './tables';
