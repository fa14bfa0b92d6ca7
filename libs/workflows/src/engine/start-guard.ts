import type { Clock, Tx } from '#platform';
import { joined } from './sql/columns';
import {
  countStarts,
  lockStartWindows,
  lockStartWindowsParams,
  type WindowKey,
} from './sql/start-windows.sql';
import { StartWindow } from './start-window';

const WORKFLOW_WINDOW_SECONDS = 60;
const WORKSPACE_WINDOW_SECONDS = 300;

/** A start as the guard sees it. Null is no limit. */
export interface GuardedStart {
  readonly workspaceId: string;
  readonly workflowId: string;
  /** What the author allows the workflow. */
  readonly startsPerMinute: number | null;
  /** What the plan allows the workspace. */
  readonly startsPerFiveMinutes: number | null;
}

/** Why a start was taken for one of a runaway. */
export interface Runaway {
  readonly scope: 'workflow' | 'workspace';
  readonly scopeId: string;
  readonly limit: number;
  readonly windowSeconds: number;
  readonly retryAfterSeconds: number;
}

interface Guarded extends WindowKey {
  readonly scope: Runaway['scope'];
  readonly limit: number;
}

interface Open extends Guarded {
  readonly window: StartWindow;
  passed: number;
}

/**
 * The guard against workflows that start themselves: at most so many starts of a workflow in any minute, and of a
 * workspace in any five. Exact across processes, because the windows are locked from the judgement to the commit. What
 * is refused later in the same transaction (by quota) is not counted.
 */
export class StartGuard {
  private constructor(private readonly windows: ReadonlyMap<string, Open>) {}

  /** Locks what the starts are judged by; one without limits costs no statement. */
  static async open(tx: Tx, clock: Clock, starts: readonly GuardedStart[]): Promise<StartGuard> {
    const guarded = new Map<string, Guarded>();
    for (const start of starts) for (const window of windowsOf(start)) guarded.set(window.scopeId, window);
    const windows = new Map<string, Open>();
    if (guarded.size === 0) return new StartGuard(windows);
    const rows = await tx.query(
      lockStartWindows,
      ...lockStartWindowsParams([...guarded.values()], clock.pinned()),
    );
    for (const { scopeId, slot, starts: counted, nowSeconds } of rows) {
      const key = guarded.get(scopeId);
      if (!key) continue;
      const window = new StartWindow(key, { slot: Number(slot), starts: counted }, nowSeconds);
      windows.set(scopeId, { ...key, window, passed: 0 });
    }
    return new StartGuard(windows);
  }

  /** Lets a start pass, or says what keeps it back. */
  judge(start: GuardedStart): Runaway | null {
    const windows = this.#of(start);
    const full = windows.find(({ window, passed }) => passed >= window.room);
    if (full) {
      const { scope, scopeId, limit, windowSeconds, window } = full;
      // What passed in this very transaction will count as well, from now on.
      const retryAfterSeconds = Math.max(1, window.retryAfterSeconds || windowSeconds);
      return { scope, scopeId, limit, windowSeconds, retryAfterSeconds };
    }
    for (const window of windows) window.passed += 1;
    return null;
  }

  /** Counts the starts that were admitted in the end. */
  async count(tx: Tx, admitted: readonly GuardedStart[]): Promise<void> {
    if (this.windows.size === 0 || admitted.length === 0) return;
    const counts = new Map<string, number>();
    for (const start of admitted) {
      for (const { scopeId } of this.#of(start)) counts.set(scopeId, (counts.get(scopeId) ?? 0) + 1);
    }
    const rows = [...counts].flatMap(([scopeId, starts]) => {
      const open = this.windows.get(scopeId);
      return open ? [{ ...open, ...open.window.with(starts) }] : [];
    });
    await tx.query(
      countStarts,
      joined(rows, ({ scopeId }) => scopeId),
      joined(rows, ({ windowSeconds }) => windowSeconds),
      joined(rows, ({ slot }) => slot),
      joined(rows, ({ starts }) => `{${starts.join(',')}}`),
    );
  }

  #of(start: GuardedStart): readonly Open[] {
    return windowsOf(start).flatMap(({ scopeId }) => this.windows.get(scopeId) ?? []);
  }
}

function windowsOf(start: GuardedStart): readonly Guarded[] {
  const { workspaceId, workflowId, startsPerMinute, startsPerFiveMinutes } = start;
  const windows: Guarded[] = [];
  if (startsPerMinute !== null) {
    windows.push({
      scope: 'workflow',
      scopeId: workflowId,
      workspaceId,
      windowSeconds: WORKFLOW_WINDOW_SECONDS,
      limit: startsPerMinute,
    });
  }
  if (startsPerFiveMinutes !== null) {
    windows.push({
      scope: 'workspace',
      scopeId: workspaceId,
      workspaceId,
      windowSeconds: WORKSPACE_WINDOW_SECONDS,
      limit: startsPerFiveMinutes,
    });
  }
  return windows;
}
