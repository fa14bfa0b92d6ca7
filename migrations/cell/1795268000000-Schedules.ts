import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * What starts runs by the clock: the schedules of published versions, and what became of each of their occurrences. A
 * fire is keyed by schedule and due instant, so that none can happen twice.
 *
 * Rollback: drops both tables. Schedules come back when their workflows are published again, but not those that a person
 * has paused, and occurrences that fired since may fire once more.
 */
export class Schedules1795268000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table workflow_schedules (
        id uuid not null,
        workspace_id uuid not null,
        workflow_id uuid not null,
        node_id text not null,
        -- The published version whose node this is; null when that has no such node any more, or is published no more.
        version_id uuid,
        params json not null,
        -- The next occurrence as the schedule says it, and when it is looked at: later by its jitter, or when put off.
        due_at timestamptz,
        fire_at timestamptz,
        -- An occurrence that waits until the run before it is over.
        waiting_due_at timestamptz,
        last_due_at timestamptz,
        last_run_id uuid,
        -- Runs since the author last changed the schedule.
        fires bigint not null default 0,
        -- Failures before then are forgiven.
        forgiven_at timestamptz not null default now(),
        paused_at timestamptz,
        paused_until timestamptz,
        paused_by text,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint workflow_schedules_pkey primary key (id),
        constraint workflow_schedules_node_key unique (workflow_id, node_id),
        constraint workflow_schedules_workflow_fkey foreign key (workspace_id, workflow_id)
          references workflows (workspace_id, id),
        constraint workflow_schedules_version_fkey foreign key (workspace_id, workflow_id, version_id)
          references workflow_versions (workspace_id, workflow_id, id),
        constraint workflow_schedules_due_check check ((due_at is null) = (fire_at is null) and fire_at >= due_at),
        constraint workflow_schedules_live_check
          check (version_id is not null or (due_at is null and waiting_due_at is null)),
        constraint workflow_schedules_paused_check check (
          (paused_at is null) = (paused_by is null)
          and (paused_at is not null or paused_until is null)
          and (paused_at is null or paused_until is not null or (due_at is null and waiting_due_at is null))),
        constraint workflow_schedules_fires_check check (fires >= 0)
      );
      create index workflow_schedules_fire_at_idx on workflow_schedules (fire_at) where fire_at is not null;
      create index workflow_schedules_waiting_idx on workflow_schedules (waiting_due_at) where waiting_due_at is not null;
      create index workflow_schedules_workspace_id_workflow_id_version_id_idx
        on workflow_schedules (workspace_id, workflow_id, version_id);
      grant select, insert, update on workflow_schedules to millrace_tenant;
      ${tenantIsolation('workflow_schedules')}

      create table schedule_fires (
        schedule_id uuid not null,
        due_at timestamptz not null,
        workspace_id uuid not null,
        outcome text not null,
        run_id uuid,
        -- Of occurrences that were missed together: the last one, and how many they are when that was counted.
        until_at timestamptz,
        occurrences integer,
        -- Why nothing was started: a code, and a sentence.
        reason text,
        detail text,
        manual boolean not null default false,
        fired_at timestamptz not null default now(),
        constraint schedule_fires_pkey primary key (schedule_id, due_at),
        constraint schedule_fires_outcome_check
          check (outcome in ('started', 'waiting', 'skipped', 'missed', 'refused', 'failed')),
        constraint schedule_fires_run_check check ((outcome = 'started') = (run_id is not null)),
        constraint schedule_fires_occurrences_check check (occurrences > 0),
        constraint schedule_fires_until_check check (outcome = 'missed' or (until_at is null and occurrences is null))
      );
      create index schedule_fires_fired_at_idx on schedule_fires using brin (fired_at);
      grant select on schedule_fires to millrace_tenant;
      ${tenantIsolation('schedule_fires')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table schedule_fires;
      drop table workflow_schedules;`);
  }
}
