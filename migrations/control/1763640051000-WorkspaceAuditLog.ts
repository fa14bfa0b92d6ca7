import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * Who changed what in a workspace. Requests may read and append; neither update nor delete is granted to them, so a
 * fault of the application cannot rewrite history.
 *
 * Rollback: drops the table; the history of changes is lost.
 */
export class WorkspaceAuditLog1763640051000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table workspace_audit_log (
        id uuid not null,
        workspace_id uuid not null,
        actor_kind text not null,
        -- Null for the system alone, which acts in nobody's name.
        actor_id uuid,
        action text not null,
        target_kind text not null,
        target_id text not null,
        before jsonb,
        after jsonb,
        reason text,
        ip inet,
        user_agent text,
        at timestamptz not null default now(),
        constraint workspace_audit_log_pkey primary key (id),
        constraint workspace_audit_log_workspace_id_fkey foreign key (workspace_id)
          references workspaces (id) on delete cascade,
        constraint workspace_audit_log_actor_kind_check check (actor_kind in ('user', 'api_key', 'system')),
        constraint workspace_audit_log_actor_id_check check ((actor_kind = 'system') = (actor_id is null)),
        constraint workspace_audit_log_action_check check (action ~ '^[a-z_]+[.][a-z_]+$'),
        constraint workspace_audit_log_target_kind_check check (target_kind ~ '^[a-z_]+$'),
        constraint workspace_audit_log_reason_check check (length(reason) between 1 and 500),
        constraint workspace_audit_log_user_agent_check check (length(user_agent) <= 500)
      );
      create index workspace_audit_log_workspace_id_id_idx on workspace_audit_log (workspace_id, id desc);
      grant select, insert on workspace_audit_log to millrace_tenant;
      ${tenantIsolation('workspace_audit_log')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table workspace_audit_log;`);
  }
}
