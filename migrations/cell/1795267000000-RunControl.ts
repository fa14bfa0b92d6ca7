import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What commands over many runs are found by: the live runs of a workflow, the runs that wait for a person, and dead
 * letters by when they failed, which is what people ask about after an outage.
 *
 * Rollback: gives dead letters their earlier index; nothing is lost.
 */
export class RunControl1795267000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create index run_queue_workflow_id_idx on run_queue (workflow_id, run_id);
      create index run_queue_undecided_idx on run_queue (workspace_id, run_id) where state = 'undecided';
      create index dead_letters_workspace_id_failed_at_idx on dead_letters (workspace_id, failed_at, run_id);
      drop index dead_letters_workflow_id_idx;
      create index dead_letters_workflow_id_failed_at_idx on dead_letters (workflow_id, failed_at, run_id);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop index dead_letters_workflow_id_failed_at_idx;
      create index dead_letters_workflow_id_idx on dead_letters (workflow_id, run_id);
      drop index dead_letters_workspace_id_failed_at_idx;
      drop index run_queue_undecided_idx;
      drop index run_queue_workflow_id_idx;`);
  }
}
