/** Where a run is, in one word. */
export type RunStatus = 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'canceled';

export const runStatuses = ['queued', 'running', 'waiting', 'succeeded', 'failed', 'canceled'] as const;

/**
 * A run's status from its two places: the outcome in history once there is one, else its state in the queue. A run
 * that is in neither is being finished this very moment, so it still runs.
 */
export function statusOf(
  outcome: 'succeeded' | 'failed' | 'canceled' | null,
  queueState: 'queued' | 'owned' | 'parked' | null,
): RunStatus {
  if (outcome !== null) return outcome;
  if (queueState === 'queued') return 'queued';
  return queueState === 'parked' ? 'waiting' : 'running';
}
