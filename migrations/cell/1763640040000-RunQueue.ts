import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * What is live: the small hot table the engine works from, the workers that hold runs, the turns by which workspaces
 * are served fairly, and the keys by which a repeated start finds its first run.
 *
 * Rollback: drops the tables; every unfinished run is lost, so only when none is live.
 */
export class RunQueue1763640040000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- A worker is alive as long as its row exists. Every write of a worker locks the row FOR KEY SHARE, which a
      -- heartbeat does not disturb and a deletion waits for: that is the fence.
      create table engine_workers (
        id uuid not null,
        host text not null,
        pid integer not null,
        started_at timestamptz not null default now(),
        lease_until timestamptz not null,
        -- The highest turn this worker has claimed: where the queue stands when it is empty.
        last_turn bigint not null default 0,
        constraint engine_workers_pkey primary key (id)
      ) with (fillfactor = 50);

      create table run_queue (
        run_id uuid not null,
        workspace_id uuid not null,
        workflow_id uuid not null,
        state text not null,
        turn bigint not null,
        worker_id uuid,
        resume_at timestamptz,
        -- How often a worker took the run; from the second time on there may be results to load.
        claims integer not null default 0,
        -- How often a worker was lost while it held the run.
        rescues smallint not null default 0,
        cancel_requested_at timestamptz,
        constraint run_queue_pkey primary key (run_id),
        constraint run_queue_state_check check (state in ('queued', 'owned', 'parked')),
        constraint run_queue_owned_check check ((state = 'owned') = (worker_id is not null)),
        constraint run_queue_parked_check check ((state = 'parked') = (resume_at is not null))
      ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
      create index run_queue_turn_idx on run_queue (turn) where state = 'queued';
      create index run_queue_resume_at_idx on run_queue (resume_at) where state = 'parked';
      create index run_queue_worker_id_idx on run_queue (worker_id) where state = 'owned';
      create index run_queue_cancel_idx on run_queue (worker_id) where cancel_requested_at is not null;
      grant select on run_queue to millrace_tenant;
      ${tenantIsolation('run_queue')}

      create table workspace_turns (
        workspace_id uuid not null,
        turn bigint not null,
        constraint workspace_turns_pkey primary key (workspace_id),
        constraint workspace_turns_workspace_id_fkey foreign key (workspace_id) references tenants (workspace_id)
      ) with (fillfactor = 50);
      ${tenantIsolation('workspace_turns')}

      create table run_start_keys (
        workflow_id uuid not null,
        key text not null,
        workspace_id uuid not null,
        run_id uuid not null,
        request_hash bytea not null,
        created_at timestamptz not null default now(),
        constraint run_start_keys_pkey primary key (workflow_id, key),
        constraint run_start_keys_workspace_id_fkey foreign key (workspace_id) references tenants (workspace_id),
        constraint run_start_keys_key_check check (length(key) between 1 and 255),
        constraint run_start_keys_request_hash_check check (length(request_hash) = 32)
      );
      create index run_start_keys_workspace_id_idx on run_start_keys (workspace_id);
      create index run_start_keys_created_at_idx on run_start_keys (created_at);
      ${tenantIsolation('run_start_keys')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table run_start_keys;
      drop table workspace_turns;
      drop table run_queue;
      drop table engine_workers;`);
  }
}
