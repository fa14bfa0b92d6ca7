import { statement } from '#platform';

/**
 * Purpose: deletes what a purged workspace has used, and says whether there was anything when it began; rows that another
 * process is deleting are left to it. Locks: the rows. Index: workspace_run_usage_pkey. Rows: one batch, years of use.
 */
export const purgeUsage = statement<
  [workspaceId: string],
  { readonly deleted: number; readonly found: boolean }
>(
  'purge-run-usage',
  `with gone as (
     delete from workspace_run_usage where ctid in (
       select ctid from workspace_run_usage where workspace_id = $1::uuid limit 1000 for update skip locked)
     returning workspace_id
   )
   select count(*)::integer as deleted,
          exists (select from workspace_run_usage where workspace_id = $1::uuid) as found
     from gone`,
);
