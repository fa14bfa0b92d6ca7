import { Global, Module } from '@nestjs/common';
import { BillingModule, WorkspacePlans } from '#billing';
import { AuditWriter, IdentityModule, PersonalWorkspaces, RoleGrants, UserWorkspaces } from '#identity';
import { WorkspaceAccess } from '#platform';
import { RunAdmission, WorkflowAudit, WorkflowLimits } from '#workflows';
import { MemberNames, WorkspacesModule } from '#workspaces';
import { AuditWriterAdapter } from './audit-writer.adapter';
import { MemberNamesAdapter } from './member-names.adapter';
import { PersonalWorkspacesAdapter } from './personal-workspaces.adapter';
import { RoleGrantsAdapter } from './role-grants.adapter';
import { RunAdmissionAdapter } from './run-admission.adapter';
import { UserWorkspacesAdapter } from './user-workspaces.adapter';
import { WorkflowAuditAdapter } from './workflow-audit.adapter';
import { WorkflowLimitsAdapter } from './workflow-limits.adapter';
import { WorkspaceAccessAdapter } from './workspace-access.adapter';
import { WorkspacePlansAdapter } from './workspace-plans.adapter';

/** Every question that one domain asks another, and who answers it. A port without a line here stops the boot. */
const EDGES = [
  { provide: WorkspaceAccess, useClass: WorkspaceAccessAdapter },
  { provide: PersonalWorkspaces, useClass: PersonalWorkspacesAdapter },
  { provide: UserWorkspaces, useClass: UserWorkspacesAdapter },
  { provide: RoleGrants, useClass: RoleGrantsAdapter },
  { provide: AuditWriter, useClass: AuditWriterAdapter },
  { provide: MemberNames, useClass: MemberNamesAdapter },
  { provide: WorkspacePlans, useClass: WorkspacePlansAdapter },
  { provide: RunAdmission, useClass: RunAdmissionAdapter },
  { provide: WorkflowLimits, useClass: WorkflowLimitsAdapter },
  { provide: WorkflowAudit, useClass: WorkflowAuditAdapter },
];

/** The composition root of the domains. It is global, so that domain modules import nothing of one another. */
@Global()
@Module({
  imports: [IdentityModule, WorkspacesModule, BillingModule],
  providers: EDGES,
  exports: EDGES.map(({ provide }) => provide),
})
export class WiringModule {}
