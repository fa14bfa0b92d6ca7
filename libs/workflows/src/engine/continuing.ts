import type { NodeDone, NodeFailure } from '../nodes/node-kind';
import { childOutcome, type Decision, decisionOf } from './messages';
import type { Task } from './task';
import type { EndedWait } from './waits';

/** What follows when a wait is over: the node goes on, or it has its outcome without being executed. */
export interface Continuation {
  readonly task: Task;
  readonly outcome: NodeDone | NodeFailure | null;
  /** What a person has decided, to be told. */
  readonly decided: { readonly decision: Decision; readonly by: string } | null;
}

/** What follows when a wait is over. */
export function continuationOf({ place, attempt, state, message }: EndedWait): Continuation {
  const task: Task = { place, attempt, resumed: null };
  switch (state.kind) {
    case 'wait':
      return { task: { ...task, resumed: { data: state.data, message } }, outcome: null, decided: null };
    case 'retry':
      return { task: { ...task, attempt: attempt + 1 }, outcome: null, decided: null };
    case 'child':
      return { task, outcome: childOutcome(state.runId, message), decided: null };
    case 'decision': {
      const { outcome, ...decided } = decisionOf(message);
      return outcome === null
        ? { task: { ...task, attempt: attempt + 1 }, outcome, decided }
        : { task, outcome, decided };
    }
    default:
      return state satisfies never;
  }
}
