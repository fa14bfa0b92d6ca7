import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * Workspaces and who belongs to them. The database holds that each workspace has exactly one owner: the partial
 * unique index allows no second one, and the deferred key back from `workspaces` allows no missing one. It is checked
 * at commit, so that a workspace and its first member can be written in one transaction, and ownership can be handed
 * over in one.
 *
 * `user_id`, `owner_id` and `created_by` are people of another part of the product, so no key leads there.
 *
 * Rollback: drops both tables with every workspace and membership, so only before there are any.
 */
export class Workspaces1763640050000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table workspaces (
        id uuid not null,
        name text not null,
        slug text not null,
        created_by uuid not null,
        owner_id uuid not null,
        -- What the member row of the owner must say: the third column of the key below.
        owner_role text not null generated always as ('owner') stored,
        plan text not null default 'solo',
        settings jsonb not null default '{}',
        -- Where its monthly billing periods begin. Whole seconds, so that every reader derives the same instants.
        anchor_at timestamptz not null,
        deleted_at timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint workspaces_pkey primary key (id),
        constraint workspaces_slug_key unique (slug),
        constraint workspaces_name_check check (length(name) between 1 and 100),
        constraint workspaces_slug_check check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 64),
        constraint workspaces_plan_check check (plan ~ '^[a-z][a-z0-9_]{0,30}$'),
        constraint workspaces_settings_check check (jsonb_typeof(settings) = 'object'),
        constraint workspaces_anchor_at_check check (anchor_at = date_trunc('second', anchor_at, 'UTC'))
      );
      grant select, update (name, updated_at) on workspaces to millrace_tenant;
      ${tenantIsolation('workspaces', 'id')}

      create table workspace_members (
        workspace_id uuid not null,
        user_id uuid not null,
        role text not null,
        joined_at timestamptz not null default now(),
        constraint workspace_members_pkey primary key (workspace_id, user_id),
        constraint workspace_members_role_key unique (workspace_id, user_id, role),
        constraint workspace_members_workspace_id_fkey foreign key (workspace_id)
          references workspaces (id) on delete cascade,
        constraint workspace_members_role_check check (role in ('owner', 'admin', 'member', 'viewer'))
      );
      create unique index workspace_members_owner_key on workspace_members (workspace_id) where role = 'owner';
      create index workspace_members_user_id_idx on workspace_members (user_id, workspace_id);
      grant select on workspace_members to millrace_tenant;
      ${tenantIsolation('workspace_members')}

      alter table workspaces add constraint workspaces_owner_fkey foreign key (id, owner_id, owner_role)
        references workspace_members (workspace_id, user_id, role) deferrable initially deferred;`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table workspaces drop constraint workspaces_owner_fkey;
      drop table workspace_members;
      drop table workspaces;`);
  }
}
