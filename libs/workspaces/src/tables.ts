import { AuditEntryEntity } from './audit/audit-entry.entity';
import { MemberEntity } from './members/member.entity';

/** The tables of this lib, all in the control schema. No other lib names them. */
export const workspacesTables = [
  'workspaces',
  'workspace_members',
  'workspace_audit_log',
  'workspace_invitations',
  'workspace_invite_links',
] as const;

/** The entity classes of this lib, for whoever opens the DataSource. */
export const workspacesEntities = [MemberEntity, AuditEntryEntity] as const;
