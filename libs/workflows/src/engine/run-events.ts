/**
 * What a run tells about itself, in order, numbered from 1 without a gap. Event 1 is its creation, told by the run's
 * own row; the others are recorded in the same checkpoint as what they tell of.
 */
export type RunEventType =
  | 'run.created'
  | 'run.started'
  | 'run.waiting'
  | 'run.needs_decision'
  | 'run.responded'
  | 'run.resumed'
  | 'run.migrated'
  | 'run.succeeded'
  | 'run.failed'
  | 'run.canceled'
  | 'node.started'
  | 'node.waiting'
  | 'node.retrying'
  | 'node.needs_decision'
  | 'node.decided'
  | 'node.succeeded'
  | 'node.failed'
  | 'node.skipped'
  | 'node.canceled';

/** An event as it is recorded; its number is its place. */
export interface RunEvent {
  readonly type: RunEventType;
  /** ISO 8601 instant. */
  readonly at: string;
  readonly nodeId?: string;
  /** Inside loops: the numbers of the items, outermost first, as `3.1`. */
  readonly iteration?: string;
  /** From the second attempt of a node on. */
  readonly attempt?: number;
  /** With `run.waiting`, `node.waiting` and `node.retrying`; missing when only a message ends the wait. */
  readonly resumeAt?: string;
  /** With `node.decided`: what was decided, and by whom. */
  readonly decision?: string;
  readonly by?: string;
  /** With `node.waiting`: what for; the run that was called. */
  readonly on?: string;
  readonly childRunId?: string;
  /** With `run.migrated`: the number of the version that the run goes on with. */
  readonly version?: number;
  /** With `node.failed`, `node.retrying` and `run.failed`. */
  readonly error?: { readonly code: string; readonly message: string };
}

const FINAL: ReadonlySet<RunEventType> = new Set(['run.succeeded', 'run.failed', 'run.canceled']);

/** Whether no event can follow. */
export function isFinalEvent(type: RunEventType): boolean {
  return FINAL.has(type);
}
