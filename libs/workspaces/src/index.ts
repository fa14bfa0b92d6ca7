export { WorkspacesModule } from './workspaces.module';
export { type MemberName, MemberNames } from './ports';
export { isRole, mayGrant } from './members/role';
export { Memberships } from './members/memberships.service';
export { Workspaces } from './workspace/workspaces.service';
export { AuditLog } from './audit/audit-log.service';
export { actorOf } from './audit/audit-origin';
