import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * What happened: runs, their node runs and their events, append-mostly and partitioned by the run's id, which begins
 * with its time of creation, so that retention drops partitions instead of deleting rows. No foreign keys: rows are
 * written by one fenced statement, and a key to the run would cost a third of the throughput.
 *
 * Partitions are made ahead of time by a loop of the product. The default ones catch what falls outside, so that a
 * missing partition is never an outage.
 *
 * Rollback: drops the tables with all history.
 */
export class RunHistory1763640030000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table workflow_runs (
        id uuid not null,
        workspace_id uuid not null,
        workflow_id uuid not null,
        version_id uuid not null,
        trigger_node text not null,
        trigger_kind text not null,
        started_by text not null,
        -- json, not jsonb: nothing queries inside, and jsonb costs a tenth of the throughput.
        input json not null,
        -- Null while the run lives; whether it is queued, running or waiting is then told by run_queue.
        outcome text,
        output json,
        error json,
        created_at timestamptz not null default now(),
        started_at timestamptz,
        finished_at timestamptz,
        constraint workflow_runs_pkey primary key (id),
        constraint workflow_runs_outcome_check check (outcome in ('succeeded', 'failed', 'canceled')),
        constraint workflow_runs_finished_check check ((outcome is null) = (finished_at is null)),
        constraint workflow_runs_error_check check (error is null or outcome in ('failed', 'canceled'))
      ) partition by range (id);
      create index workflow_runs_workspace_id_id_idx on workflow_runs (workspace_id, id);
      create index workflow_runs_workflow_id_id_idx on workflow_runs (workflow_id, id);
      create table workflow_runs_default partition of workflow_runs default with (fillfactor = 85);
      grant select on workflow_runs to millrace_tenant;
      ${tenantIsolation('workflow_runs')}
      ${tenantIsolation('workflow_runs_default')}

      create table workflow_node_runs (
        run_id uuid not null,
        node_id text not null,
        -- '' outside loops; inside, the path of iteration numbers such as '3.1'.
        iteration text not null default '',
        workspace_id uuid not null,
        status text not null,
        attempts smallint not null default 1,
        -- The output ports taken, joined by commas; '' when none was.
        ports text not null default '',
        output json,
        error json,
        resume_at timestamptz,
        started_at timestamptz not null,
        finished_at timestamptz,
        constraint workflow_node_runs_pkey primary key (run_id, node_id, iteration),
        constraint workflow_node_runs_status_check
          check (status in ('running', 'waiting', 'succeeded', 'failed', 'skipped', 'canceled')),
        constraint workflow_node_runs_finished_check
          check ((status in ('running', 'waiting')) = (finished_at is null)),
        constraint workflow_node_runs_waiting_check check (status <> 'waiting' or resume_at is not null),
        constraint workflow_node_runs_failed_check check ((status = 'failed') = (error is not null))
      ) partition by range (run_id);
      create table workflow_node_runs_default partition of workflow_node_runs default with (fillfactor = 95);
      grant select on workflow_node_runs to millrace_tenant;
      ${tenantIsolation('workflow_node_runs')}
      ${tenantIsolation('workflow_node_runs_default')}

      -- One row holds the events of one checkpoint, numbered first_seq.. without a gap. Event 1 of every run is its
      -- creation and is the run's own row, so numbering here begins at 2.
      create table workflow_run_events (
        run_id uuid not null,
        first_seq integer not null,
        last_seq integer not null,
        workspace_id uuid not null,
        events json not null,
        constraint workflow_run_events_pkey primary key (run_id, first_seq),
        constraint workflow_run_events_seq_check check (first_seq >= 2 and last_seq >= first_seq)
      ) partition by range (run_id);
      create table workflow_run_events_default partition of workflow_run_events default;
      grant select on workflow_run_events to millrace_tenant;
      ${tenantIsolation('workflow_run_events')}
      ${tenantIsolation('workflow_run_events_default')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table workflow_run_events;
      drop table workflow_node_runs;
      drop table workflow_runs;`);
  }
}
