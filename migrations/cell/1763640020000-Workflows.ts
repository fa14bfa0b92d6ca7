import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * What people author: workflows with their draft, immutable numbered versions, and the webhook addresses of a
 * workflow's webhook triggers.
 *
 * Rollback: drops the three tables with everything authored, so only before there is any.
 */
export class Workflows1763640020000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table workflows (
        id uuid not null,
        workspace_id uuid not null,
        name text not null,
        -- json, not jsonb: a definition is read whole and given back as it was sent.
        draft json not null,
        draft_revision integer not null default 1,
        published_version_id uuid,
        archived_at timestamptz,
        created_by text not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint workflows_pkey primary key (id),
        constraint workflows_workspace_id_id_key unique (workspace_id, id),
        constraint workflows_workspace_id_fkey foreign key (workspace_id) references tenants (workspace_id),
        constraint workflows_name_check check (length(name) between 1 and 120),
        constraint workflows_draft_revision_check check (draft_revision > 0)
      );
      create unique index workflows_name_key on workflows (workspace_id, lower(name)) where archived_at is null;
      grant select, insert, update on workflows to millrace_tenant;
      ${tenantIsolation('workflows')}

      create table workflow_versions (
        id uuid not null,
        workspace_id uuid not null,
        workflow_id uuid not null,
        number integer not null,
        definition json not null,
        published_by text not null,
        published_at timestamptz not null default now(),
        constraint workflow_versions_pkey primary key (id),
        constraint workflow_versions_workflow_id_key unique (workspace_id, workflow_id, id),
        constraint workflow_versions_number_key unique (workflow_id, number),
        constraint workflow_versions_workflow_fkey foreign key (workspace_id, workflow_id)
          references workflows (workspace_id, id),
        constraint workflow_versions_number_check check (number > 0)
      );
      -- No update, no delete: a version never changes once runs may be pinned to it.
      grant select, insert on workflow_versions to millrace_tenant;
      ${tenantIsolation('workflow_versions')}

      alter table workflows add constraint workflows_published_version_fkey
        foreign key (workspace_id, id, published_version_id)
          references workflow_versions (workspace_id, workflow_id, id);
      create index workflows_published_version_idx on workflows (workspace_id, id, published_version_id);

      create table workflow_hooks (
        id uuid not null,
        workspace_id uuid not null,
        workflow_id uuid not null,
        node_id text not null,
        -- Part of what the token is derived from: raising it makes another URL.
        generation integer not null default 1,
        created_at timestamptz not null default now(),
        constraint workflow_hooks_pkey primary key (id),
        constraint workflow_hooks_node_key unique (workflow_id, node_id),
        constraint workflow_hooks_workflow_fkey foreign key (workspace_id, workflow_id)
          references workflows (workspace_id, id),
        constraint workflow_hooks_generation_check check (generation > 0)
      );
      create index workflow_hooks_workspace_id_workflow_id_idx on workflow_hooks (workspace_id, workflow_id);
      grant select, insert on workflow_hooks to millrace_tenant;
      ${tenantIsolation('workflow_hooks')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table workflow_hooks;
      alter table workflows drop constraint workflows_published_version_fkey;
      drop table workflow_versions;
      drop table workflows;`);
  }
}
