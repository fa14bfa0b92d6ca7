import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * Secrets of workspaces, sealed with the key ring, and which of them a version names. Requests write values and never read
 * them: the tenant's role is granted every column but that one. Versions of before name none, because there were none.
 *
 * Rollback: drops the secrets, which nothing can bring back.
 */
export class WorkspaceSecrets1795271000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table workspace_secrets (
        id uuid not null,
        workspace_id uuid not null,
        name text not null,
        sealed bytea not null,
        description text not null default '',
        revision integer not null default 1,
        created_by text not null,
        created_at timestamptz not null default now(),
        updated_by text not null,
        updated_at timestamptz not null default now(),
        constraint workspace_secrets_pkey primary key (id),
        constraint workspace_secrets_name_key unique (workspace_id, name),
        constraint workspace_secrets_workspace_id_fkey foreign key (workspace_id) references tenants (workspace_id),
        constraint workspace_secrets_name_check check (name ~ '^[A-Z][A-Z0-9_]{0,63}$'),
        constraint workspace_secrets_revision_check check (revision > 0)
      );
      grant select (id, workspace_id, name, description, revision, created_by, created_at, updated_by, updated_at)
        on workspace_secrets to millrace_tenant;
      grant insert (id, workspace_id, name, sealed, description, created_by, updated_by)
        on workspace_secrets to millrace_tenant;
      grant update (sealed, description, revision, updated_by, updated_at) on workspace_secrets to millrace_tenant;
      grant delete on workspace_secrets to millrace_tenant;
      ${tenantIsolation('workspace_secrets')}

      alter table workflow_versions add column secret_names text[] not null default '{}';`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table workflow_versions drop column secret_names;
      drop table workspace_secrets;`);
  }
}
