import { leastId } from '../retention/periods';
import { liveStatuses, type RunStatus } from '../runs/run-state';
import type { ListParams, Source } from './list-runs.sql';

/** What runs are looked for. Null: whatever it is. */
export interface RunFilter {
  readonly workflowId: string | null;
  readonly statuses: readonly RunStatus[] | null;
  /** A type of trigger. */
  readonly triggerKind: string | null;
  /** Created from then on, and before. */
  readonly from: Date | null;
  readonly to: Date | null;
  /** Failed runs with this code. */
  readonly errorCode: string | null;
  /** `name:value` */
  readonly label: string | null;
}

const LIVE: ReadonlySet<RunStatus> = new Set(liveStatuses);
const NEWEST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const OLDEST = '00000000-0000-0000-0000-000000000000';

/** Where to look: the narrowest list there is that has all of them. */
export function sourceOf({ label, statuses, errorCode, workflowId }: RunFilter): Source {
  if (label !== null) return 'label';
  if (statuses?.every((status) => LIVE.has(status))) return 'live';
  if (errorCode !== null) return 'failedSo';
  // One workflow's failures may be few among all failures, and many among its own runs, or the other way round.
  if (statuses?.every((status) => status === 'failed') && workflowId === null) return 'failed';
  return workflowId === null ? 'workspace' : 'workflow';
}

/** What its statement takes, for a page behind a run. */
export function paramsOf(
  filter: RunFilter,
  scope: {
    readonly workspaceId: string;
    readonly beforeId: string | null;
    readonly limit: number;
    readonly now: Date | null;
  },
): ListParams {
  const { workflowId, statuses, triggerKind, errorCode, label, from, to } = filter;
  const until = to === null ? NEWEST : leastId(sinceEpoch(to));
  const { beforeId } = scope;
  return [
    scope.workspaceId,
    beforeId === null || until < beforeId ? until : beforeId,
    from === null ? OLDEST : leastId(sinceEpoch(from)),
    scope.limit,
    workflowId,
    statuses,
    triggerKind,
    errorCode,
    label,
    scope.now,
  ];
}

/** Ids cannot tell of times before 1970, and no run began then. */
function sinceEpoch(at: Date): Date {
  return at.getTime() < 0 ? new Date(0) : at;
}
