import { statement } from '#platform';

/** What one workspace was granted, and what it may have in this period. */
export interface TakenRow {
  readonly workspaceId: string;
  readonly granted: number;
  readonly limit: number | null;
  readonly plan: string;
  readonly periodEnd: Date;
}

/**
 * Purpose: counts the runs of a batch against the current periods of their workspaces and grants what is left of each.
 * A workspace without a row for its current period does not come back.
 *
 * Locks: the usage rows, in the order of their workspaces, so that two batches never wait for each other in a circle;
 * they are the last locks of a transaction and held until it ends. The expressions of SET are computed on the row
 * version that is locked, not on the one the statement saw when it began: what others took meanwhile is counted.
 * `locked` gives nothing but keys for the same reason.
 *
 * Index: workspace_run_usage_pkey. No period is longer than 31 days (a CHECK), so the lower bound keeps the scan to
 * the newest two rows of a workspace however old it is; it is given in hours, because days would follow the session's
 * time zone. Rows: one per workspace.
 */
export const takeRuns = statement<[workspaceIds: string, runs: string, now: Date], TakenRow>(
  'take-runs',
  `with wanted as (
     select workspace_id, runs
       from unnest(string_to_array($1, ',')::uuid[], string_to_array($2, ',')::integer[]) as w(workspace_id, runs)
   ), locked as materialized (
     select u.workspace_id, u.period_start, wanted.runs
       from wanted join workspace_run_usage u on u.workspace_id = wanted.workspace_id
      where u.period_start <= $3::timestamptz
        and u.period_start > $3::timestamptz - interval '744 hours'
        and u.period_end > $3::timestamptz
      order by u.workspace_id
        for update of u
   )
   update workspace_run_usage u
      set last_grant = least(locked.runs, coalesce(u.run_limit - u.runs_used, locked.runs)),
          runs_used = u.runs_used + least(locked.runs, coalesce(u.run_limit - u.runs_used, locked.runs))
     from locked
    where u.workspace_id = locked.workspace_id and u.period_start = locked.period_start
   returning u.workspace_id as "workspaceId", u.last_grant as granted, u.run_limit as "limit", u.plan,
             u.period_end as "periodEnd"`,
);
