import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * The cells of the installation, which workspace lives in which, and the fingerprint of the key that tokens derive
 * from.
 *
 * Rollback: drops the three tables; the placement of workspaces is lost, so only before any workspace exists.
 */
export class CellsAndDirectory1763640000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table cells (
        id text not null,
        accepts_tenants boolean not null default true,
        created_at timestamptz not null default now(),
        constraint cells_pkey primary key (id),
        constraint cells_id_check check (id ~ '^[a-z][a-z0-9_]{0,30}$')
      );
      insert into cells (id) values ('cell_1');

      -- Found by key alone: it names no other data of the workspace, and a request has no tenant before it is read.
      create table workspace_directory (
        workspace_id uuid not null,
        cell_id text not null,
        assigned_at timestamptz not null default now(),
        constraint workspace_directory_pkey primary key (workspace_id),
        constraint workspace_directory_cell_id_fkey foreign key (cell_id) references cells (id)
      );
      create index workspace_directory_cell_id_idx on workspace_directory (cell_id);
      ${tenantIsolation('workspace_directory')}

      create table installation (
        singleton boolean not null default true,
        key_fingerprint text not null,
        created_at timestamptz not null default now(),
        constraint installation_pkey primary key (singleton),
        constraint installation_singleton_check check (singleton)
      );`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table installation; drop table workspace_directory; drop table cells;`);
  }
}
