import type { Place } from '../definition/frame';
import type { JsonValue } from '../definition/json';
import type { NodeOutcome, WorkflowCall } from '../nodes/node-kind';
import { type Attempt, type Attempts, withinTime } from './attempts';
import type { ClaimedWork, ExecutionHost } from './claimed-work';
import { runLimits } from './limits';
import type { NodeBook } from './node-book';
import { performNode, prepareNode, type PreparedNode } from './node-runner';
import type { RunJournal } from './run-journal';
import type { Scopes } from './scopes';
import type { Task } from './task';

/** Pure nodes are over in no time, so there is nothing to abort. */
const NEVER = new AbortController().signal;

/** What an execution gives: what its kind says, or that the workflow it calls is under way. */
export type Given = Exclude<NodeOutcome, WorkflowCall> | { readonly kind: 'called'; readonly runId: string };

/** What the executor works with, and whom it tells. */
export interface ExecutorParts {
  readonly work: Pick<ClaimedWork, 'claimed'>;
  readonly host: ExecutionHost;
  readonly scopes: Scopes;
  readonly journal: RunJournal;
  readonly book: NodeBook;
  readonly attempts: Attempts;
  /** An execution that was begun has come to its end, and is still wanted. */
  readonly given: (attempt: Attempt, given: Given) => void;
  /** A fault of ours. */
  readonly fault: (attempt: Attempt, error: unknown) => void;
}

/** Executes the nodes of one run: at once what only computes, beside the rest of the run what takes time. */
export class NodeExecutor {
  constructor(private readonly parts: ExecutorParts) {}

  /** Executes a pure node. Answers at once when nothing in it takes time. */
  compute(task: Task): NodeOutcome | Promise<NodeOutcome> {
    const prepared = this.#prepare(task.place);
    if (prepared instanceof Promise) return prepared.then((ready) => this.#perform(task, ready, NEVER));
    return this.#perform(task, prepared, NEVER);
  }

  /** Begins a node that takes time. */
  begin(task: Task): void {
    const { attempts, host, fault } = this.parts;
    const attempt = attempts.begin(task, host.now());
    this.#execute(attempt).catch((error: unknown) => fault(attempt, error));
  }

  /** Everything an effect depends on is committed before it begins; its own result goes into the next checkpoint. */
  async #execute(attempt: Attempt): Promise<void> {
    const { attempts, journal, host, given } = this.parts;
    const { task, abort } = attempt;
    const preparing = this.#prepare(task.place);
    const prepared = preparing instanceof Promise ? await preparing : preparing;
    if (!attempts.counts(attempt)) return;
    if (prepared.ok && task.place.node.kind.purity === 'effect') {
      this.#announce(task, prepared.resolved);
      if (!(await journal.committed()) || !(await host.standing()) || !attempts.counts(attempt)) return;
    }
    const outcome = await withinTime(attempt, this.#perform(task, prepared, abort.signal));
    if (!attempts.counts(attempt)) return;
    const result = outcome.kind === 'call' ? await this.#call(attempt, outcome) : outcome;
    if (attempts.counts(attempt)) given(attempt, result);
  }

  /** What is known before an effect begins, for whoever has to go on after a crash inside it. */
  #announce({ place, attempt, resumed }: Task, request: JsonValue): void {
    const { book, host } = this.parts;
    if (resumed !== null) return;
    book.started(place, attempt);
    if (place.node.policy.repeat === 'safe') return;
    const startedAt = host.now().toISOString();
    book.running(place, attempt, { kind: 'attempt', attempt, startedAt, request: shown(request) });
  }

  #prepare({ node, frame }: Place): PreparedNode | Promise<PreparedNode> {
    return prepareNode(node, this.parts.scopes.of(frame), this.parts.host.logger);
  }

  #perform(task: Task, prepared: PreparedNode, signal: AbortSignal): NodeOutcome | Promise<NodeOutcome> {
    if (!prepared.ok) return prepared.failure;
    const { scopes, host } = this.parts;
    const { place, attempt, resumed } = task;
    const { frame, node } = place;
    const scope = scopes.of(frame);
    const context = { scope, iteration: frame.iteration, attempt, now: host.now(), signal, resumed };
    return performNode(node, prepared.params, { context, logger: host.logger });
  }

  /** Starts a run of another workflow. Repeated after a crash, it finds the run that it started before. */
  async #call({ task, abort }: Attempt, call: WorkflowCall): Promise<Given> {
    const { work, host } = this.parts;
    const { workspaceId, runId, origin } = work.claimed;
    const started = await host.children.start({
      ...call,
      workspaceId,
      caller: { runId, nodeId: task.place.node.id, iteration: task.place.frame.iteration },
      attempt: task.attempt,
      depth: (origin?.depth ?? 0) + 1,
      signal: abort.signal,
    });
    if (started.kind === 'failed') return started;
    return call.wait ? { ...started, kind: 'called' } : { kind: 'done', output: { runId: started.runId } };
  }
}

/** A request that is kept as evidence; of a long one the beginning. */
function shown(request: JsonValue): JsonValue {
  const text = JSON.stringify(request);
  if (text.length <= runLimits.evidenceChars) return request;
  return { truncated: text.slice(0, runLimits.evidenceChars) };
}
