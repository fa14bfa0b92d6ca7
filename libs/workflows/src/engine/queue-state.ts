/** Where a live run is in the queue: see the README beside. */
export type QueueState = 'queued' | 'owned' | 'parked' | 'undecided' | 'gated' | 'paused';
