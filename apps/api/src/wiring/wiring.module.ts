import { Global, Module } from '@nestjs/common';
import { BillingModule, WorkspacePlans } from '#billing';
import {
  AccountWorkspaces,
  AuditWriter,
  IdentityModule,
  PersonalWorkspaces,
  RoleGrants,
  SignUpInvitations,
  UserWorkspaces,
} from '#identity';
import { LivePrincipals, WorkspaceAccess } from '#platform';
import {
  DeletedWorkspaces,
  RunAdmission,
  RunLimits,
  WorkflowAudit,
  WorkflowLimits,
  WorkflowsModule,
} from '#workflows';
import {
  ActingKeys,
  MemberKeys,
  MemberNames,
  People,
  SeatPolicy,
  WorkspacePurge,
  WorkspacesModule,
} from '#workspaces';
import { AccountWorkspacesAdapter } from './account-workspaces.adapter';
import { ActingKeysAdapter } from './acting-keys.adapter';
import { AuditWriterAdapter } from './audit-writer.adapter';
import { DeletedWorkspacesAdapter } from './deleted-workspaces.adapter';
import { LivePrincipalsAdapter } from './live-principals.adapter';
import { MemberKeysAdapter } from './member-keys.adapter';
import { MemberNamesAdapter } from './member-names.adapter';
import { PeopleAdapter } from './people.adapter';
import { PersonalWorkspacesAdapter } from './personal-workspaces.adapter';
import { RoleGrantsAdapter } from './role-grants.adapter';
import { RunAdmissionAdapter } from './run-admission.adapter';
import { RunLimitsAdapter } from './run-limits.adapter';
import { SeatPolicyAdapter } from './seat-policy.adapter';
import { SignUpInvitationsAdapter } from './sign-up-invitations.adapter';
import { UserWorkspacesAdapter } from './user-workspaces.adapter';
import { WorkflowAuditAdapter } from './workflow-audit.adapter';
import { WorkflowLimitsAdapter } from './workflow-limits.adapter';
import { WorkspaceAccessAdapter } from './workspace-access.adapter';
import { WorkspacePlansAdapter } from './workspace-plans.adapter';
import { WorkspacePurgeAdapter } from './workspace-purge.adapter';

/** Every question that one domain asks another, and who answers it. A port without a line here stops the boot. */
const EDGES = [
  { provide: LivePrincipals, useClass: LivePrincipalsAdapter },
  { provide: WorkspaceAccess, useClass: WorkspaceAccessAdapter },
  { provide: PersonalWorkspaces, useClass: PersonalWorkspacesAdapter },
  { provide: UserWorkspaces, useClass: UserWorkspacesAdapter },
  { provide: RoleGrants, useClass: RoleGrantsAdapter },
  { provide: AuditWriter, useClass: AuditWriterAdapter },
  { provide: MemberNames, useClass: MemberNamesAdapter },
  { provide: AccountWorkspaces, useClass: AccountWorkspacesAdapter },
  { provide: MemberKeys, useClass: MemberKeysAdapter },
  { provide: ActingKeys, useClass: ActingKeysAdapter },
  { provide: WorkspacePurge, useClass: WorkspacePurgeAdapter },
  { provide: People, useClass: PeopleAdapter },
  { provide: SeatPolicy, useClass: SeatPolicyAdapter },
  { provide: SignUpInvitations, useClass: SignUpInvitationsAdapter },
  { provide: WorkspacePlans, useClass: WorkspacePlansAdapter },
  { provide: RunAdmission, useClass: RunAdmissionAdapter },
  { provide: RunLimits, useClass: RunLimitsAdapter },
  { provide: WorkflowLimits, useClass: WorkflowLimitsAdapter },
  { provide: WorkflowAudit, useClass: WorkflowAuditAdapter },
  { provide: DeletedWorkspaces, useClass: DeletedWorkspacesAdapter },
];

/** The composition root of the domains. It is global, so that domain modules import nothing of one another. */
@Global()
@Module({
  imports: [IdentityModule, WorkspacesModule, BillingModule, WorkflowsModule],
  providers: EDGES,
  exports: EDGES.map(({ provide }) => provide),
})
export class WiringModule {}
