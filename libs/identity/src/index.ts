export { IdentityModule } from './identity.module';
export {
  type AuditEntry,
  AuditWriter,
  type PersonalWorkspace,
  PersonalWorkspaces,
  type PreparedWorkspace,
  RoleGrants,
  type UserWorkspace,
  UserWorkspaces,
} from './ports';
export { SESSION_COOKIE } from './sessions/session-cookie';
export { Users } from './users/users.service';
