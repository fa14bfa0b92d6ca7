export { WorkspacesModule } from './workspaces.module';
export {
  ActingKeys,
  type LostRole,
  MemberKeys,
  type MemberName,
  MemberNames,
  People,
  type Person,
  type PurgeProgress,
  SeatPolicy,
  WorkspacePurge,
} from './ports';
export { isRole, mayGrant, permissionsOf, type Role, roles } from './members/role';
export { Offers } from './invitations/offers.service';
export { Memberships } from './members/memberships.service';
export { Workspaces } from './workspace/workspaces.service';
export { WorkspacePurgeDuty } from './deletion/workspace-purge.loop';
export { WorkspaceDeletions } from './deletion/workspace-deletions.service';
export { AuditLog } from './audit/audit-log.service';
export { AccountClosing } from './deletion/account-closing.service';
