import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * What workspaces let their workflows call, and what was refused. A workspace without a row has the installation's
 * default.
 *
 * Rollback: drops both tables; workspaces then have no policies, and what was refused is forgotten. The installation's
 * guard goes on.
 */
export class EgressPolicies1795270000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table egress_policies (
        workspace_id uuid not null,
        default_action text not null,
        -- Hosts, wildcards, addresses and blocks, normalised.
        allow text[] not null,
        deny text[] not null,
        dry_run boolean not null,
        revision integer not null default 1,
        updated_at timestamptz not null default now(),
        updated_by text not null,
        constraint egress_policies_pkey primary key (workspace_id),
        constraint egress_policies_workspace_id_fkey foreign key (workspace_id) references tenants (workspace_id),
        constraint egress_policies_default_action_check check (default_action in ('allow', 'deny')),
        constraint egress_policies_entries_check check (cardinality(allow) + cardinality(deny) <= 500)
      );
      grant select, insert, update on egress_policies to millrace_tenant;
      ${tenantIsolation('egress_policies')}

      -- Like requests of one minute are one row.
      create table egress_block_events (
        workspace_id uuid not null,
        id uuid not null,
        -- Of the node's run. Null when the run was over by the time this was written.
        workflow_id uuid,
        -- The last runs of which this was, the last one first.
        run_ids uuid[] not null,
        node_id text not null,
        iteration text not null,
        host text not null,
        rule text not null,
        -- Without user, query, fragment and long parts of the path.
        url text not null,
        message text not null,
        dry_run boolean not null,
        minute timestamptz not null,
        count integer not null default 1,
        first_at timestamptz not null,
        last_at timestamptz not null,
        constraint egress_block_events_pkey primary key (workspace_id, id),
        constraint egress_block_events_minute_key
          unique nulls not distinct (workspace_id, minute, workflow_id, node_id, host, rule, dry_run),
        constraint egress_block_events_workspace_id_fkey foreign key (workspace_id) references tenants (workspace_id)
      ) with (fillfactor = 70);
      create index egress_block_events_minute_idx on egress_block_events (minute);
      grant select, delete on egress_block_events to millrace_tenant;
      ${tenantIsolation('egress_block_events')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table egress_block_events; drop table egress_policies;`);
  }
}
