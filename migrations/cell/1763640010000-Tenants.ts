import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * The anchor row of each workspace in its cell: what the cell's own tables refer to, since no foreign key may leave
 * the cell.
 *
 * Rollback: drops the table, so only when no table refers to it any more.
 */
export class Tenants1763640010000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tenants (
        workspace_id uuid not null,
        created_at timestamptz not null default now(),
        constraint tenants_pkey primary key (workspace_id)
      );
      grant select on tenants to millrace_tenant;
      ${tenantIsolation('tenants')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table tenants;`);
  }
}
