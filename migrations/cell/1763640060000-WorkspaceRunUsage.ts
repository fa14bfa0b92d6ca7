import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * How many runs a workspace has started in each of its billing periods. The row stands in the cell, beside the runs:
 * the unit is taken in the transaction that creates the run, so neither exists without the other.
 *
 * Periods are half-open, [period_start, period_end). The limit and the plan are a snapshot of what the workspace may
 * do in this period: no other table is read on the hot path.
 *
 * Rollback: drops the table; what was used in the current periods is forgotten and counting begins at zero.
 */
export class WorkspaceRunUsage1763640060000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table workspace_run_usage (
        workspace_id uuid not null,
        period_start timestamptz not null,
        period_end timestamptz not null,
        plan text not null,
        -- Null: unlimited.
        run_limit integer,
        runs_used bigint not null default 0,
        -- What the newest statement granted: RETURNING shows new values only, and the old count is not among them.
        last_grant integer not null default 0,
        constraint workspace_run_usage_pkey primary key (workspace_id, period_start),
        constraint workspace_run_usage_workspace_id_fkey foreign key (workspace_id) references tenants (workspace_id),
        -- The current period is searched among the starts of the last 31 days only.
        constraint workspace_run_usage_period_check
          check (period_start < period_end and period_end - period_start <= interval '31 days'),
        constraint workspace_run_usage_run_limit_check check (run_limit >= 0),
        constraint workspace_run_usage_runs_used_check check (runs_used >= 0 and runs_used <= run_limit),
        constraint workspace_run_usage_last_grant_check check (last_grant >= 0)
      )
      -- Half of each page stays free and no changing column is indexed: a count is a heap-only update.
      with (fillfactor = 50);
      grant select on workspace_run_usage to millrace_tenant;
      ${tenantIsolation('workspace_run_usage')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table workspace_run_usage;`);
  }
}
