import { statement } from '#platform';

/** What a workspace has used of an open period. */
export interface UsageRow {
  readonly used: number;
  readonly limit: number | null;
}

/**
 * Purpose: the use of one period, for people to look at. A double holds every integer up to 2^53 exactly.
 * Locks: none. Index: workspace_run_usage_pkey. Rows: one, or none before the first run of the period.
 */
export const findUsage = statement<[workspaceId: string, periodStart: Date], UsageRow>(
  'find-run-usage',
  `select runs_used::double precision as used, run_limit as "limit" from workspace_run_usage
    where workspace_id = $1::uuid and period_start = $2::timestamptz`,
);
