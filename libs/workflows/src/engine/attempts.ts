import type { Place } from '../definition/frame';
import { sleep } from '#platform';
import type { NodeFailure, NodeOutcome } from '../nodes/node-kind';
import type { Task } from './task';

/** An execution under way; what it gives counts only as long as it is the one that is known for its place. */
export interface Attempt {
  readonly task: Task;
  readonly startedAt: Date;
  readonly abort: AbortController;
}

/** The executions of one run that are under way. */
export class Attempts {
  readonly #active = new Map<Place, Attempt>();

  get size(): number {
    return this.#active.size;
  }

  begin(task: Task, startedAt: Date): Attempt {
    const attempt: Attempt = { task, startedAt, abort: new AbortController() };
    this.#active.set(task.place, attempt);
    return attempt;
  }

  /** Whether what an attempt gives is still wanted. */
  counts(attempt: Attempt): boolean {
    return this.#active.get(attempt.task.place) === attempt;
  }

  /** The attempt is over. False when what it gave was not wanted any more. */
  end(attempt: Attempt): boolean {
    return this.counts(attempt) && this.#active.delete(attempt.task.place);
  }

  /** Aborts attempts; whatever they still give does not count. */
  abortWhere(concerned: (place: Place) => boolean): readonly Attempt[] {
    const aborted = [...this.#active.values()].filter(({ task }) => concerned(task.place));
    for (const attempt of aborted) {
      attempt.abort.abort();
      this.#active.delete(attempt.task.place);
    }
    return aborted;
  }
}

const TIMED_OUT = 'node.timeout';

/** What an attempt gives, or that it took too long: then it is told to stop, and whatever it still gives is too late. */
export async function withinTime(
  { task, abort }: Attempt,
  outcome: NodeOutcome | Promise<NodeOutcome>,
): Promise<NodeOutcome> {
  const { timeoutMs } = task.place.node.policy;
  if (timeoutMs === null || !(outcome instanceof Promise)) return outcome;
  const settled = new AbortController();
  const late = sleep(timeoutMs, settled.signal).then(() => timedOut(timeoutMs));
  const first = await Promise.race([outcome, late]);
  settled.abort();
  if (first.kind === 'failed' && first.error.code === TIMED_OUT) abort.abort();
  return first;
}

function timedOut(timeoutMs: number): NodeFailure {
  const message = `The node was not done within ${timeoutMs / 1000} seconds.`;
  return { kind: 'failed', error: { code: TIMED_OUT, message }, retryable: true };
}
