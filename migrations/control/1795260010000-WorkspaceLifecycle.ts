import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What is done to workspaces and members after they were made: a slug of one's choice, settings, other roles, leaving,
 * deletion that can be taken back until `purge_at`. Requests get the columns they need and no others; who owns a
 * workspace and who joins it is written as the owner role, which sees how many workspaces a person has.
 *
 * Rollback: deleted workspaces lose the instant of their purge; the purge then begins for none of them.
 */
export class WorkspaceLifecycle1795260010000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table workspaces
        add column purge_at timestamptz,
        add constraint workspaces_purge_at_check
          check ((deleted_at is null) = (purge_at is null) and purge_at >= deleted_at);
      create index workspaces_purge_at_idx on workspaces (purge_at) where purge_at is not null;
      grant update (slug, settings, deleted_at, purge_at) on workspaces to millrace_tenant;
      grant update (role), delete on workspace_members to millrace_tenant;`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      revoke update (role), delete on workspace_members from millrace_tenant;
      revoke update (slug, settings, deleted_at, purge_at) on workspaces from millrace_tenant;
      alter table workspaces drop column purge_at;`);
  }
}
