import { type Statement, statement } from '#platform';

/**
 * Deletes a batch, says how many rows of its table that were, and whether there were any when it began. Rows that another
 * process is deleting are passed over, and still there: should that one die, they stay.
 */
export type Purge = Statement<[workspaceId: string], { readonly deleted: number; readonly found: boolean }>;

/** A run may have some hundred nodes. Written out in the statement, so that the planner knows how few these are. */
const BATCH_RUNS = 50;
const BATCH_ROWS = 1_000;

/**
 * Purpose: deletes a batch of finished runs with their nodes, events and labels. A run and what hangs on it go together, so that
 * nothing is left that could not be found by its workspace. Locks: the runs; those that another process is deleting are
 * left to it. Index: workflow_runs_workspace_id_id_idx, then the primary keys; arrays, because the planner would hash whole tables for a
 * join: it does not know that all but a few partitions are passed over. Rows: one batch of runs.
 */
export const purgeRuns: Purge = statement(
  'purge-runs-of-workspace',
  `with batch as materialized (
     select id, labels from workflow_runs where workspace_id = $1::uuid
      order by id limit ${BATCH_RUNS} for update skip locked
   ), nodes as (
     delete from workflow_node_runs where run_id = any (array(select id from batch))
   ), events as (
     delete from workflow_run_events where run_id = any (array(select id from batch))
   ), labels as (
     delete from workflow_run_labels
      where workspace_id = $1::uuid and run_id = any (array(select id from batch))
        and label = any (array(select l.key || ':' || l.value from batch cross join lateral json_each_text(labels) l))
   ), gone as (
     delete from workflow_runs
      where workspace_id = $1::uuid and id = any (array(select id from batch)) returning id
   )
   select count(*)::integer as deleted, (select id from workflow_runs where workspace_id = $1::uuid order by id limit 1) is not null as found
     from gone`,
);

/**
 * Purpose: no version is the published one any more, so that versions can go. Locks: the rows it changes.
 * Index: workflows_workspace_id_id_key. Rows: one batch.
 */
const unpublishAll: Purge = statement(
  'unpublish-workflows-of-workspace',
  `with changed as (
     update workflows set published_version_id = null where workspace_id = $1::uuid and id in (
       select id from workflows where workspace_id = $1::uuid and published_version_id is not null
        limit ${BATCH_ROWS} for update skip locked)
     returning id
   )
   select count(*)::integer as deleted,
          exists (select from workflows where workspace_id = $1::uuid and published_version_id is not null) as found
     from changed`,
);

/**
 * Purpose: deletes a batch of what a workspace has in a table that is not partitioned. Locks: the rows it deletes; those
 * that another process is deleting are left to it. Index: the table's own by workspace. Rows: one batch.
 */
function purgeOf(table: string): Purge {
  return statement(
    `purge-${table.replaceAll('_', '-')}-of-workspace`,
    `with gone as (
       delete from ${table} where ctid in (
         select ctid from ${table} where workspace_id = $1::uuid limit ${BATCH_ROWS} for update skip locked)
       returning workspace_id
     )
     select count(*)::integer as deleted, exists (select from ${table} where workspace_id = $1::uuid) as found
       from gone`,
  );
}

/**
 * Purpose: deletes a batch of what became of a workspace's schedules. Locks: the rows it deletes; those that another process
 * is deleting are left to it. Index: workflow_schedules_workspace_id_workflow_id_version_id_idx, schedule_fires_pkey: fires have
 * no index by workspace, which every one of them would pay for. Rows: one batch.
 */
const purgeScheduleFires: Purge = statement(
  'purge-schedule-fires-of-workspace',
  `with batch as materialized (
     select f.schedule_id, f.due_at from workflow_schedules s
      cross join lateral (select schedule_id, due_at from schedule_fires
                           where schedule_id = s.id limit ${BATCH_ROWS} for update skip locked) f
      where s.workspace_id = $1::uuid limit ${BATCH_ROWS}
   ), gone as (
     delete from schedule_fires f using batch b where f.schedule_id = b.schedule_id and f.due_at = b.due_at
     returning f.schedule_id
   )
   select count(*)::integer as deleted,
          exists (select from workflow_schedules s join schedule_fires f on f.schedule_id = s.id
                   where s.workspace_id = $1::uuid) as found
     from gone`,
);

/** Everything else of a workspace in its cell, in an order in which nothing refers to what is gone. */
export const purgeRest: readonly Purge[] = [
  purgeOf('run_start_keys'),
  purgeOf('run_signals'),
  purgeOf('dead_letters'),
  purgeOf('run_approval_votes'),
  purgeOf('run_approvals'),
  unpublishAll,
  purgeScheduleFires,
  purgeOf('workflow_schedules'),
  purgeOf('hook_replays'),
  purgeOf('hook_deliveries'),
  purgeOf('hook_secrets'),
  purgeOf('workflow_hooks'),
  purgeOf('workflow_versions'),
  purgeOf('workflows'),
  purgeOf('workspace_secrets'),
  purgeOf('workspace_turns'),
  purgeOf('workspace_gates'),
  purgeOf('run_start_windows'),
  purgeOf('workspace_history'),
  purgeOf('egress_block_events'),
  purgeOf('egress_policies'),
];
