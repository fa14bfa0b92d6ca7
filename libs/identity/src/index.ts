export { IdentityModule } from './identity.module';
export {
  AccountWorkspaces,
  type Admitted,
  type AuditEntry,
  AuditWriter,
  type NewAccount,
  type PersonalWorkspace,
  PersonalWorkspaces,
  type PreparedWorkspace,
  RoleGrants,
  SignUpInvitations,
  type UserWorkspace,
  UserWorkspaces,
  type WorkspaceFootprint,
} from './ports';
export { ApiKeysPurge } from './api-keys/api-keys-purge.service';
export { ApiKeys } from './api-keys/api-keys.service';
export { SESSION_COOKIE } from './sessions/session-cookie';
export { Principals } from './auth/principals.service';
export { Users } from './users/users.service';
