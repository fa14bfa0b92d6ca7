import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * API keys of workspaces: found by their public prefix, proven by the SHA-256 of the whole key. Revoked keys stay for
 * the audit. `workspace_id` refers to no table on purpose: workspaces are another domain's, and a deleted workspace
 * refuses its keys by itself. Requests may write nothing of a key but its revocation.
 *
 * Rollback: drops the table; every API key stops working for good.
 */
export class ApiKeys1763640003400 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table api_keys (
        id uuid not null,
        workspace_id uuid not null,
        name text not null,
        prefix text not null,
        hash bytea not null,
        role text not null,
        created_by uuid,
        created_at timestamptz not null,
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz,
        constraint api_keys_pkey primary key (id),
        constraint api_keys_prefix_key unique (prefix),
        constraint api_keys_name_check check (length(name) between 1 and 80),
        constraint api_keys_prefix_check check (prefix ~ '^[0-9a-f]{16}$'),
        constraint api_keys_hash_check check (length(hash) = 32),
        constraint api_keys_role_check check (length(role) between 1 and 40),
        constraint api_keys_expires_at_check check (expires_at > created_at),
        constraint api_keys_created_by_fkey foreign key (created_by) references users (id) on delete set null
      );
      create index api_keys_workspace_id_id_idx on api_keys (workspace_id, id);
      create index api_keys_created_by_idx on api_keys (created_by);
      grant select, insert, update (revoked_at) on api_keys to millrace_tenant;
      ${tenantIsolation('api_keys')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table api_keys;`);
  }
}
