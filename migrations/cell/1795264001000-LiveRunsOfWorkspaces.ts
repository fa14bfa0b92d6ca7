import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Live runs are listed, newest first, without looking through those of all workspaces: a queue may be a million long.
 *
 * Rollback: drops the index.
 */
export class LiveRunsOfWorkspaces1795264001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create index run_queue_workspace_id_run_id_idx on run_queue (workspace_id, run_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop index run_queue_workspace_id_run_id_idx`);
  }
}
