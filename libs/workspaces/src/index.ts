export { WorkspacesModule } from './workspaces.module';
export { workspacesEntities, workspacesTables } from './tables';
export { workspaceErrors } from './errors';
export { type MemberName, MemberNames } from './ports';
export { isRole, mayGrant, permissionsOf, type Role } from './members/role';
export { Memberships } from './members/memberships.service';
export { Workspaces } from './workspace/workspaces.service';
export { type AuditEntry, AuditLog } from './audit/audit-log.service';
export { actorOf } from './audit/audit-origin';
