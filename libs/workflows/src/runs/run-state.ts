/** Where a run is, in one word. */
export type RunStatus = 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'canceled';

/** A live run's state in the queue. At the gate, or put aside while its workflow is paused, it is queued to people. */
export type QueueState = 'queued' | 'owned' | 'parked' | 'gated' | 'paused';

export const runStatuses = ['queued', 'running', 'waiting', 'succeeded', 'failed', 'canceled'] as const;

/**
 * A run's status from its two places: the outcome in history once there is one, else its state in the queue. A run
 * that is in neither is being finished this very moment, so it still runs.
 */
export function statusOf(
  outcome: 'succeeded' | 'failed' | 'canceled' | null,
  queueState: QueueState | null,
): RunStatus {
  if (outcome !== null) return outcome;
  if (queueState === null || queueState === 'owned') return 'running';
  return queueState === 'parked' ? 'waiting' : 'queued';
}
