import { statement } from '#platform';

/**
 * Purpose: opens the current periods of workspaces. Who comes second finds the row and leaves it as it is, so two
 * first uses of a period never fail. Sorted, because an insert waits for another one of the same key.
 * An empty limit is null: unlimited. Index: workspace_run_usage_pkey. Rows: one per workspace.
 */
export const openPeriods = statement<
  [workspaceIds: string, starts: string, ends: string, plans: string, limits: string]
>(
  'open-usage-periods',
  `insert into workspace_run_usage (workspace_id, period_start, period_end, plan, run_limit)
   select workspace_id, period_start, period_end, plan, run_limit
     from unnest(
            string_to_array($1, ',')::uuid[], string_to_array($2, ',')::timestamptz[],
            string_to_array($3, ',')::timestamptz[], string_to_array($4, ','),
            string_to_array($5, ',', '')::integer[]
          ) as opened(workspace_id, period_start, period_end, plan, run_limit)
    order by workspace_id
   on conflict do nothing`,
);
