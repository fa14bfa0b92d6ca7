import type { Logger } from '#platform';
import type { Graph } from '../definition/graph';
import type { WorkflowSettings } from '../definition/policies';
import { RecordedRows } from '../definition/recorded-rows';
import { type Follows, RunWalk } from '../definition/run-walk';
import type { NodeError } from '../nodes/node-kind';
import type { RunSecrets } from '../secrets/run-secrets';
import type { Checkpointer } from './checkpointer';
import type { ChildRuns } from './child-runs';
import type { ClaimedRun } from './sql/claim-runs.sql';
import type { RecordedNode } from './sql/load-progress.sql';
import type { KeptSignal } from './sql/signals.sql';

/** What a run needs of its surroundings. */
export interface ExecutionHost {
  readonly checkpointer: Checkpointer;
  readonly logger: Logger;
  readonly children: ChildRuns;
  readonly callbackUrl: (run: ClaimedRun, nodeId: string, iteration: string) => string;
  /** The database's time as well as this host knows it. */
  now(): Date;
  /** The same, but not later than the database has it: what is due by it is due. */
  surelyReached(): Date;
  /** Resolves when it is known whether the lease is held: false when others may have the run. */
  standing(): Promise<boolean>;
  /** The run is out of this worker's hands: recorded as finished or parked, or abandoned with the lease. */
  left(run: ClaimedRun, how: RunLeft): void;
}

/** How a run has left. */
export interface RunLeft {
  readonly parkedUntil: Date | null;
  /** It has ended, and runs that it waited for, or one that waits for it, are to hear of that. */
  readonly concerns: { readonly children: boolean; readonly parent: boolean };
}

/** What is known of a run when it is claimed. `recorded` is empty for one that begins. */
export interface ClaimedWork {
  readonly claimed: ClaimedRun;
  readonly graph: Graph;
  readonly settings: WorkflowSettings;
  readonly versionNumber: number;
  readonly secrets: RunSecrets;
  readonly recorded: readonly RecordedNode[];
  readonly signals: readonly KeptSignal[];
  readonly lastSeq: number;
}

/** When the run began: its first node's beginning, if that was recorded. */
export function startOf({ recorded }: ClaimedWork): Date | null {
  const times = recorded.map(({ startedAt }) => startedAt.getTime());
  return times.length === 0 ? null : new Date(Math.min(...times));
}

/** By when the run must have ended; null when it may take any time. */
export function deadlineOf({ claimed, settings: { deadlineSeconds } }: ClaimedWork): Date | null {
  if (deadlineSeconds === undefined) return null;
  return new Date(claimed.createdAt.getTime() + deadlineSeconds * 1000);
}

/** What a run that is over its time fails with. */
export function deadlineExceeded({ settings }: ClaimedWork): NodeError {
  const message = `The run was not finished within ${settings.deadlineSeconds} seconds of its start.`;
  return { code: 'run.deadline_exceeded', message };
}

/** What the run has taken so far. */
export function sizeOf({ recorded }: ClaimedWork): { nodeRuns: number; bytes: number } {
  return {
    nodeRuns: recorded.length,
    bytes: recorded.reduce((sum, { outputBytes }) => sum + outputBytes, 0),
  };
}

/** The run's walk, from its trigger or from what was recorded. */
export function beginWalk({ claimed, graph, recorded }: ClaimedWork): {
  readonly walk: RunWalk;
  readonly follows: Follows;
} {
  const trigger = graph.indexOf(claimed.triggerNode);
  if (recorded.length === 0) return RunWalk.start(graph, trigger);
  const rows = recorded.map((row) => ({ ...row, loop: row.state?.kind === 'loop' ? row.state : null }));
  return RunWalk.replay(graph, trigger, new RecordedRows(rows));
}
