/**
 * What a run tells about itself, in order, numbered from 1 without a gap. Event 1 is its creation, told by the run's
 * own row; the others are recorded in the same checkpoint as what they tell of.
 */
export type RunEventType =
  | 'run.created'
  | 'run.started'
  | 'run.waiting'
  | 'run.resumed'
  | 'run.succeeded'
  | 'run.failed'
  | 'run.canceled'
  | 'node.started'
  | 'node.waiting'
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
  /** With `run.waiting` and `node.waiting`. */
  readonly resumeAt?: string;
  /** With `node.failed` and `run.failed`. */
  readonly error?: { readonly code: string; readonly message: string };
}

const FINAL: ReadonlySet<RunEventType> = new Set(['run.succeeded', 'run.failed', 'run.canceled']);

/** Whether no event can follow. */
export function isFinalEvent(type: RunEventType): boolean {
  return FINAL.has(type);
}
