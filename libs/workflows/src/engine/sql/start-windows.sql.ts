import { statement } from '#platform';
import { column, joined } from './columns';

/** The starts of a workspace or a workflow that are counted. */
export interface WindowKey {
  readonly scopeId: string;
  readonly workspaceId: string;
  readonly windowSeconds: number;
}

/** What was counted, and the database's time in seconds. */
export interface LockedWindow {
  readonly scopeId: string;
  readonly slot: string;
  readonly starts: readonly number[];
  readonly nowSeconds: number;
}

/**
 * Purpose: holds windows still while it is decided how many may start, and tells their counts. The time is told after
 * the wait for the lock, so that it is not older than what is counted. Locks: the windows, in the order of workspace and
 * scope, before the usage counters. Index: run_start_windows_pkey. Rows: one per window.
 */
export const lockStartWindows = statement<
  [scopeIds: string, workspaceIds: string, windowSeconds: string, now: Date | null],
  LockedWindow
>(
  'lock-start-windows',
  `insert into run_start_windows as w (scope_id, workspace_id, window_seconds, slot, starts)
   select scope_id, workspace_id, window_seconds, 0, '{}'
     from unnest(${column(1, 'uuid')}, ${column(2, 'uuid')}, ${column(3, 'integer')})
            as u (scope_id, workspace_id, window_seconds)
    order by workspace_id, scope_id, window_seconds
   on conflict (scope_id, window_seconds) do update set slot = w.slot
   returning scope_id as "scopeId", slot, starts,
             extract(epoch from coalesce($4::timestamptz, clock_timestamp()))::float8 as "nowSeconds"`,
);

/** The parameters of `lockStartWindows`. */
export function lockStartWindowsParams(
  keys: readonly WindowKey[],
  now: Date | null,
): [string, string, string, Date | null] {
  return [
    joined(keys, ({ scopeId }) => scopeId),
    joined(keys, ({ workspaceId }) => workspaceId),
    joined(keys, ({ windowSeconds }) => windowSeconds),
    now,
  ];
}

/**
 * Purpose: stores the counts with the starts that were admitted. Locks: the windows, held already.
 * Index: run_start_windows_pkey. Rows: one per window.
 */
export const countStarts = statement<
  [scopeIds: string, windowSeconds: string, slots: string, starts: string]
>(
  'count-starts',
  `update run_start_windows w set slot = u.slot, starts = u.starts::integer[]
     from unnest(${column(1, 'uuid')}, ${column(2, 'integer')}, ${column(3, 'bigint')}, ${column(4, 'text')})
            as u (scope_id, window_seconds, slot, starts)
    where w.scope_id = u.scope_id and w.window_seconds = u.window_seconds`,
);
