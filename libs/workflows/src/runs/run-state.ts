import type { QueueState } from '../engine/queue-state';

/** Where a run is, in one word. */
export type RunStatus = (typeof runStatuses)[number];

/** Of runs that are not over. */
export const liveStatuses = ['queued', 'running', 'waiting', 'needs_decision'] as const;

export const runStatuses = [...liveStatuses, 'succeeded', 'failed', 'canceled'] as const;

const liveStates: readonly QueueState[] = ['queued', 'gated', 'paused', 'owned', 'parked', 'undecided'];

/** At the gate, or put aside while its workflow is paused, a run is queued to people. */
const LIVE: Readonly<Record<QueueState, RunStatus>> = {
  queued: 'queued',
  gated: 'queued',
  paused: 'queued',
  owned: 'running',
  parked: 'waiting',
  undecided: 'needs_decision',
};

/**
 * A run's status from its two places: the outcome in history once there is one, else its state in the queue. A run
 * that is in neither is being finished this very moment, so it still runs.
 */
export function statusOf(
  outcome: 'succeeded' | 'failed' | 'canceled' | null,
  queueState: QueueState | null,
): RunStatus {
  return outcome ?? (queueState === null ? 'running' : LIVE[queueState]);
}

/** The states in the queue of runs that are so; those of all live runs when nothing is said. */
export function queueStatesOf(statuses: readonly RunStatus[] | undefined): readonly QueueState[] {
  return liveStates.filter((state) => statuses === undefined || statuses.includes(LIVE[state]));
}
