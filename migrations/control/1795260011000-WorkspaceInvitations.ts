import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * Invitations to one address, and links that anyone they are shared with may follow. Only the SHA-256 of a token is
 * kept. The state of an invitation follows from its times: accepted, declined or revoked, else expired once `expires_at`
 * has passed, else pending. `closed_at` is set when it stops being open, whichever way: the partial unique index holds
 * one open invitation for each address, and no closed one, expired or not, stands in the way of another.
 *
 * Rollback: drops both tables; invitations and links that were sent stop working.
 */
export class WorkspaceInvitations1795260011000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table workspace_invitations (
        id uuid not null,
        workspace_id uuid not null,
        email text not null,
        role text not null,
        token_hash bytea not null,
        -- Null when a program invited.
        invited_by uuid,
        created_at timestamptz not null,
        -- When the present token was mailed.
        sent_at timestamptz not null,
        expires_at timestamptz not null,
        accepted_at timestamptz,
        accepted_by uuid,
        declined_at timestamptz,
        revoked_at timestamptz,
        closed_at timestamptz,
        constraint workspace_invitations_pkey primary key (id),
        constraint workspace_invitations_token_hash_key unique (token_hash),
        constraint workspace_invitations_email_check check (length(email) between 3 and 254),
        constraint workspace_invitations_role_check check (role in ('admin', 'member', 'viewer')),
        constraint workspace_invitations_token_hash_check check (length(token_hash) = 32),
        constraint workspace_invitations_sent_at_check check (sent_at >= created_at),
        constraint workspace_invitations_expires_at_check
          check (expires_at > sent_at and expires_at <= sent_at + interval '60 days'),
        constraint workspace_invitations_outcome_check
          check (num_nonnulls(accepted_at, declined_at, revoked_at) <= 1),
        constraint workspace_invitations_accepted_by_check check ((accepted_at is null) = (accepted_by is null)),
        constraint workspace_invitations_closed_at_check
          check (closed_at is not null or num_nonnulls(accepted_at, declined_at, revoked_at) = 0),
        constraint workspace_invitations_workspace_id_fkey foreign key (workspace_id)
          references workspaces (id) on delete cascade
      );
      create unique index workspace_invitations_open_key on workspace_invitations (workspace_id, lower(email))
        where closed_at is null;
      create index workspace_invitations_workspace_id_idx on workspace_invitations (workspace_id, id desc);
      create index workspace_invitations_created_at_idx on workspace_invitations (workspace_id, created_at);
      create index workspace_invitations_email_idx on workspace_invitations (lower(email), id) where closed_at is null;
      create index workspace_invitations_expires_at_idx on workspace_invitations (expires_at) where closed_at is null;
      grant select, insert, update (token_hash, sent_at, expires_at, revoked_at, closed_at)
        on workspace_invitations to millrace_tenant;
      ${tenantIsolation('workspace_invitations')}

      create table workspace_invite_links (
        id uuid not null,
        workspace_id uuid not null,
        role text not null,
        token_hash bytea not null,
        -- Null: as many as there are seats.
        max_uses integer,
        used_count integer not null default 0,
        -- In lower case; empty: any address.
        allowed_domains text[] not null,
        created_by uuid,
        created_at timestamptz not null,
        expires_at timestamptz not null,
        revoked_at timestamptz,
        constraint workspace_invite_links_pkey primary key (id),
        constraint workspace_invite_links_token_hash_key unique (token_hash),
        constraint workspace_invite_links_role_check check (role in ('admin', 'member', 'viewer')),
        constraint workspace_invite_links_token_hash_check check (length(token_hash) = 32),
        constraint workspace_invite_links_max_uses_check check (max_uses between 1 and 1000),
        constraint workspace_invite_links_used_count_check
          check (used_count >= 0 and (max_uses is null or used_count <= max_uses)),
        constraint workspace_invite_links_allowed_domains_check check (cardinality(allowed_domains) <= 20),
        constraint workspace_invite_links_expires_at_check
          check (expires_at > created_at and expires_at <= created_at + interval '60 days'),
        constraint workspace_invite_links_workspace_id_fkey foreign key (workspace_id)
          references workspaces (id) on delete cascade
      );
      create index workspace_invite_links_workspace_id_idx on workspace_invite_links (workspace_id, id desc);
      grant select, insert, update (revoked_at) on workspace_invite_links to millrace_tenant;
      ${tenantIsolation('workspace_invite_links')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table workspace_invite_links; drop table workspace_invitations;`);
  }
}
