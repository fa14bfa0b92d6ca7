import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Nobody rewrites history: the owner role, too, may only read and append. Lines go with their workspace, by the foreign
 * key, which row-level security does not hold up. And the log is found by who, what and to whom.
 *
 * Rollback: the owner role may change and delete lines again.
 */
export class AppendOnlyAuditLog1795260012000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop policy owner_access on workspace_audit_log;
      create policy owner_reads on workspace_audit_log for select to millrace_owner using (true);
      create policy owner_appends on workspace_audit_log for insert to millrace_owner with check (true);
      create index workspace_audit_log_actor_idx on workspace_audit_log (workspace_id, actor_id, id desc);
      create index workspace_audit_log_action_idx on workspace_audit_log (workspace_id, action, id desc);
      create index workspace_audit_log_target_idx on workspace_audit_log (workspace_id, target_kind, target_id, id desc);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop index workspace_audit_log_actor_idx;
      drop index workspace_audit_log_action_idx;
      drop index workspace_audit_log_target_idx;
      drop policy owner_appends on workspace_audit_log;
      drop policy owner_reads on workspace_audit_log;
      create policy owner_access on workspace_audit_log to millrace_owner using (true) with check (true);`);
  }
}
