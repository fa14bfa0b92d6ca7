import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * The inbox of webhooks: every delivery with what became of it, the secrets it is verified by, the signatures that were
 * seen, and how long the address before a rotation still works. Start keys get a window of their own.
 *
 * Rollback: drops the inbox and all secrets of webhooks, so hooks that verify their callers take no calls afterwards until
 * their secrets are set again. Addresses from before a rotation end at once.
 */
export class HookInbox1795269000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      set local lock_timeout = '3s';
      alter table workflow_hooks
        -- Until then the address of the generation before works as well.
        add column previous_until timestamptz,
        add constraint workflow_hooks_workspace_id_id_key unique (workspace_id, id);
      grant update (generation, previous_until) on workflow_hooks to millrace_tenant;

      create table hook_secrets (
        id uuid not null,
        workspace_id uuid not null,
        hook_id uuid not null,
        kind text not null,
        -- Sealed by the key ring for this very row.
        sealed bytea not null,
        set_by text not null,
        set_at timestamptz not null default now(),
        -- Null for the current one; the one before it ends then.
        valid_until timestamptz,
        constraint hook_secrets_pkey primary key (id),
        constraint hook_secrets_hook_fkey foreign key (workspace_id, hook_id) references workflow_hooks (workspace_id, id),
        constraint hook_secrets_kind_check check (kind in ('signing', 'password', 'bearer', 'verify_token'))
      );
      create unique index hook_secrets_current_key on hook_secrets (hook_id, kind) where valid_until is null;
      create index hook_secrets_workspace_id_hook_id_idx on hook_secrets (workspace_id, hook_id);
      create index hook_secrets_valid_until_idx on hook_secrets (valid_until) where valid_until is not null;
      grant select, insert, update (valid_until), delete on hook_secrets to millrace_tenant;
      ${tenantIsolation('hook_secrets')}

      -- Written once, in the transaction of the run that it leads to. No foreign keys: it is as hot as the runs.
      create table hook_deliveries (
        id uuid not null,
        workspace_id uuid not null,
        hook_id uuid not null,
        workflow_id uuid not null,
        state text not null,
        -- Why there is no run.
        reason text,
        -- The run that it started, or that an earlier one like it had started.
        run_id uuid,
        -- Who delivered: the sender, a person who tried the hook, a person who took up an earlier delivery.
        source text not null default 'call',
        replay_of uuid,
        by text,
        method text not null,
        headers json not null,
        query json not null,
        -- As it came, byte for byte; null when it was empty, or the delivery was rejected.
        body bytea,
        body_bytes integer not null,
        received_at timestamptz not null default now(),
        expires_at timestamptz not null,
        constraint hook_deliveries_pkey primary key (id),
        constraint hook_deliveries_state_check check (state in ('accepted', 'duplicate', 'refused', 'rejected')),
        constraint hook_deliveries_run_check check ((state in ('accepted', 'duplicate')) = (run_id is not null)),
        constraint hook_deliveries_reason_check check ((state in ('refused', 'rejected')) = (reason is not null)),
        constraint hook_deliveries_source_check check (source in ('call', 'test', 'replay')),
        constraint hook_deliveries_by_check check ((source = 'call') = (by is null)),
        constraint hook_deliveries_replay_check check ((source = 'replay') = (replay_of is not null)),
        constraint hook_deliveries_rejected_check check (state <> 'rejected' or body is null)
      );
      create index hook_deliveries_workspace_id_hook_id_id_idx on hook_deliveries (workspace_id, hook_id, id);
      create index hook_deliveries_expires_at_idx on hook_deliveries (expires_at);
      create index hook_deliveries_rejected_idx on hook_deliveries (hook_id, id) where state = 'rejected';
      grant select on hook_deliveries to millrace_tenant;
      ${tenantIsolation('hook_deliveries')}

      -- What was signed and has come, as long as it could be sent again and pass.
      create table hook_replays (
        hook_id uuid not null,
        digest bytea not null,
        workspace_id uuid not null,
        delivery_id uuid not null,
        expires_at timestamptz not null,
        constraint hook_replays_pkey primary key (hook_id, digest),
        constraint hook_replays_digest_check check (length(digest) = 32)
      );
      create index hook_replays_expires_at_idx on hook_replays (expires_at);
      create index hook_replays_workspace_id_idx on hook_replays (workspace_id);
      ${tenantIsolation('hook_replays')}

      -- Null for keys that are kept for a day, or for good.
      alter table run_start_keys add column expires_at timestamptz;
      create index run_start_keys_expires_at_idx on run_start_keys (expires_at) where expires_at is not null;`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop index run_start_keys_expires_at_idx;
      delete from run_start_keys where expires_at is not null;
      alter table run_start_keys drop column expires_at;
      drop table hook_replays;
      drop table hook_deliveries;
      drop table hook_secrets;
      revoke update (generation, previous_until) on workflow_hooks from millrace_tenant;
      alter table workflow_hooks drop constraint workflow_hooks_workspace_id_id_key, drop column previous_until;`);
  }
}
