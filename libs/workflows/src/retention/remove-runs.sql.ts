import { statement } from '#platform';

/** A finished run that was removed, and what it took up: as many bytes as were counted when it was recorded. */
export interface RemovedRun {
  readonly runId: string;
  readonly workspaceId: string;
  readonly retentionDays: number;
  readonly bytes: number;
}

/**
 * Purpose: removes finished runs with their nodes, events and labels. Live ones stay, whatever was asked for.
 * Locks: the runs; those that another process is removing are left to it. Index: the primary keys; arrays, because the
 * planner would hash whole tables for a join. Rows: at most those asked for.
 */
export const removeRuns = statement<[runIds: readonly string[], classes: readonly number[]], RemovedRun>(
  'remove-runs',
  `with batch as materialized (
     select id, workspace_id, retention_days, labels,
            octet_length(input::text) + coalesce(octet_length(output::text), 0)
              + coalesce(octet_length(error::text), 0) as bytes
       from workflow_runs
      where retention_days = any ($2::smallint[]) and id = any ($1::uuid[]) and outcome is not null
      order by id for update skip locked
   ), nodes as (
     delete from workflow_node_runs where run_id = any (array(select id from batch))
     returning run_id, coalesce(octet_length(output::text), 0) + coalesce(octet_length(error::text), 0) as bytes
   ), events as (
     delete from workflow_run_events where run_id = any (array(select id from batch))
     returning run_id, octet_length(events::text) as bytes
   ), labels as (
     delete from workflow_run_labels
      where workspace_id = any (array(select workspace_id from batch)) and run_id = any (array(select id from batch))
        and label = any (array(select l.key || ':' || l.value from batch cross join lateral json_each_text(labels) l))
   ), gone as (
     delete from workflow_runs
      where retention_days = any (array(select retention_days from batch)) and id = any (array(select id from batch))
   ), parts as (
     select run_id, bytes from nodes union all select run_id, bytes from events
   )
   select b.id as "runId", b.workspace_id as "workspaceId", b.retention_days as "retentionDays",
          b.bytes + coalesce((select sum(p.bytes) from parts p where p.run_id = b.id), 0)::int as bytes
     from batch b order by b.id`,
);

/** Purpose: takes what was removed off the tally. Index: workspace_history_pkey. Rows: one for each of the given. */
export const takeOffTally = statement<
  [workspaceIds: readonly string[], classes: readonly number[], starts: readonly Date[], runs: readonly number[], bytes: readonly number[]],
  unknown
>(
  'take-off-history-tally',
  `update workspace_history h set runs = greatest(0, h.runs - u.runs), bytes = greatest(0, h.bytes - u.bytes)
     from (select * from unnest($1::uuid[], $2::smallint[], $3::timestamptz[], $4::bigint[], $5::bigint[])
                      as u (workspace_id, retention_days, period_start, runs, bytes)
            order by workspace_id, retention_days, period_start) u
    where h.workspace_id = u.workspace_id and h.retention_days = u.retention_days and h.period_start = u.period_start`,
); // prettier-ignore
