/** Whose moments they are: of a run's start in the API, of a run in a worker, of a worker that comes or goes. */
export type Phase = 'start of a worker' | 'start of a run' | 'run' | 'stop of a worker';

/** A moment at which a process is killed. */
export interface Point {
  readonly phase: Phase;
  /** `before checkpoint #2`: before or after (calls: also when sent) the how manieth of its name. */
  readonly name: string;
}

/** Sweeps go on for ever: the first two say what all do. */
const SWEEPS =
  /^(before|after) (heartbeat-worker|claim-queued|claim-due|next-due|bury-workers|rescue-runs|release-unheld|take-attention|deliver-signals|cancel-orphans) /;
const SWEEPS_KEPT = 2;
/** A statement without a name is one of the framework's, and has no words of ours. */
const NAMED = /^(before|after) [a-z][a-z0-9-]* #/;
/** What a worker does only when it stops. */
const STOPS = /^(before|after) (release|retire)-[a-z]+ #/;

/**
 * The moments of two traces, each once, in the order in which they were seen. What only one of them has depends on how a
 * timer fell or what a cache held; it is tried, and told when it does not come again.
 */
export function pointsOf(
  phase: Phase,
  traces: readonly [readonly string[], readonly string[]],
): readonly Point[] {
  return [...new Set(traces.flat())]
    .filter((name) => !SWEEPS.test(name) || Number(name.split('#')[1]) <= SWEEPS_KEPT)
    .filter((name) => phase !== 'start of a worker' || NAMED.test(name))
    .filter((name) => phase !== 'stop of a worker' || STOPS.test(name))
    .map((name) => ({ phase, name }));
}
