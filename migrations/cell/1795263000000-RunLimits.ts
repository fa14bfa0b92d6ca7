import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * Exact limits of runs. A run under a limit enters the queue as `gated` and is let through, to `queued`, by whoever holds
 * its workspace's row in `workspace_gates`; a run of a paused workflow that was about to be claimed is `paused`. All
 * indexes are partial: a run without limits is in none of them.
 *
 * Rollback: drops the tables and columns; runs at the gate and paused ones are put into the queue first, so that none is
 * lost, and all workflows go on.
 */
export class RunLimits1795263000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      set local lock_timeout = '3s';
      alter table run_queue
        -- Whether the limits of the workspace's plan hold for the run.
        add column limited boolean not null default false,
        -- -1 low, 0 normal, 1 high: the order at the gate. In the queue the turn says it.
        add column priority smallint not null default 0,
        -- Of the workflow and the value of its concurrency key; null when the workflow has no concurrency.
        add column key_hash uuid,
        add column key_limit smallint,
        -- The run has a slot of its key and keeps it to its end.
        add column key_held boolean not null default false,
        drop constraint run_queue_state_check,
        add constraint run_queue_state_check check (state in ('queued', 'owned', 'parked', 'undecided', 'gated', 'paused')),
        add constraint run_queue_priority_check check (priority between -1 and 1),
        add constraint run_queue_key_check
          check ((key_hash is null) = (key_limit is null) and (key_hash is not null or not key_held));
      -- Runs that wait for their plan's limits alone.
      create index run_queue_gated_idx on run_queue (workspace_id, workflow_id, priority desc, turn)
        where state = 'gated' and (key_hash is null or key_held);
      -- Runs that wait for a slot of their key.
      create index run_queue_keyed_idx on run_queue (workspace_id, key_hash, priority desc, turn)
        where state = 'gated' and key_hash is not null and not key_held;
      create index run_queue_key_holders_idx on run_queue (key_hash) where key_held;
      -- Runs that are executing, as the plan counts them.
      create index run_queue_executing_idx on run_queue (workspace_id, workflow_id)
        where limited and state in ('queued', 'owned');
      create index run_queue_paused_idx on run_queue (workflow_id, turn) where state = 'paused';

      alter table workspace_turns
        add column high_turn bigint not null default 0,
        add column low_turn bigint not null default 0;

      alter table workflows
        add column paused_at timestamptz,
        add column paused_by text,
        add constraint workflows_paused_check check ((paused_at is null) = (paused_by is null));
      -- Nearly always empty: asking it costs a claim nothing.
      create index workflows_paused_idx on workflows (id) where paused_at is not null;

      create table workspace_gates (
        workspace_id uuid not null,
        -- What the plan allows; null is no limit.
        concurrent_runs integer,
        concurrent_runs_per_workflow integer,
        constraint workspace_gates_pkey primary key (workspace_id),
        constraint workspace_gates_workspace_id_fkey foreign key (workspace_id) references tenants (workspace_id)
      ) with (fillfactor = 50);
      grant select on workspace_gates to millrace_tenant;
      ${tenantIsolation('workspace_gates')}

      create table run_start_windows (
        -- The workspace or the workflow whose starts are counted.
        scope_id uuid not null,
        workspace_id uuid not null,
        window_seconds integer not null,
        -- The window is cut into slots of equal length. This is the newest one that was counted in ...
        slot bigint not null,
        -- ... and these are the starts of that slot and of those before it, newest first.
        starts integer[] not null,
        constraint run_start_windows_pkey primary key (scope_id, window_seconds),
        constraint run_start_windows_workspace_id_fkey foreign key (workspace_id) references tenants (workspace_id)
      ) with (fillfactor = 50);
      create index run_start_windows_workspace_id_idx on run_start_windows (workspace_id);
      ${tenantIsolation('run_start_windows')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table run_start_windows;
      drop table workspace_gates;
      drop index workflows_paused_idx;
      alter table workflows drop constraint workflows_paused_check, drop column paused_by, drop column paused_at;
      alter table workspace_turns drop column low_turn, drop column high_turn;
      drop index run_queue_paused_idx, run_queue_executing_idx, run_queue_key_holders_idx, run_queue_keyed_idx,
                 run_queue_gated_idx;
      update run_queue set state = 'queued' where state in ('gated', 'paused');
      alter table run_queue
        drop constraint run_queue_key_check,
        drop constraint run_queue_priority_check,
        drop constraint run_queue_state_check,
        add constraint run_queue_state_check check (state in ('queued', 'owned', 'parked', 'undecided')),
        drop column key_held,
        drop column key_limit,
        drop column key_hash,
        drop column priority,
        drop column limited;`);
  }
}
