import { isOutage, outlastOutage } from '#platform';
import type { Place } from '../definition/frame';
import type { JsonValue } from '../definition/json';
import type { NodeFailure, NodeOutcome, WorkflowCall } from '../nodes/node-kind';
import { noSecrets } from '../secrets/run-secrets';
import { type Attempt, type Attempts, withinTime } from './attempts';
import type { ClaimedWork, ExecutionHost } from './claimed-work';
import { runLimits } from './limits';
import type { NodeBook } from './node-book';
import { performNode, prepareNode, type PreparedNode, type ReadyNode, revealedParams } from './node-runner';
import type { RunJournal } from './run-journal';
import type { Scopes } from './scopes';
import type { Task } from './task';

/** Pure nodes are over in no time, so there is nothing to abort. */
const NEVER = new AbortController().signal;

/** Nothing was sent yet, so trying again is safe. */
const secretsUnavailable: NodeFailure = {
  kind: 'failed',
  error: {
    code: 'node.secrets_unavailable',
    message: 'The secrets of the workspace could not be read; try again.',
  },
  retryable: true,
  retryAfterSeconds: 1,
};

/** What an execution gives: what its kind says, or that the workflow it calls is under way. */
export type Given = Exclude<NodeOutcome, WorkflowCall> | { readonly kind: 'called'; readonly runId: string };

/** What the executor works with, and whom it tells. */
export interface ExecutorParts {
  readonly work: Pick<ClaimedWork, 'claimed' | 'secrets'>;
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
      this.#announce(task, prepared);
      if (!(await journal.committed()) || !(await host.standing()) || !attempts.counts(attempt)) return;
    }
    const outcome = await withinTime(attempt, this.#performWithSecrets(task, prepared, abort.signal));
    if (!attempts.counts(attempt)) return;
    const result = outcome.kind === 'call' ? await this.#call(attempt, outcome) : outcome;
    if (attempts.counts(attempt)) given(attempt, result);
  }

  /** What is known before an effect begins, for whoever has to go on after a crash inside it. */
  #announce({ place, attempt, resumed }: Task, { resolved, standIns }: ReadyNode): void {
    const { book, host, work } = this.parts;
    if (resumed !== null) return;
    book.started(place, attempt);
    if (place.node.policy.repeat === 'safe') return;
    const startedAt = host.now().toISOString();
    const request = shown(work.secrets.mask.json(standIns?.shown(resolved) ?? resolved));
    book.running(place, attempt, { kind: 'attempt', attempt, startedAt, request });
  }

  #prepare({ node, frame }: Place): PreparedNode | Promise<PreparedNode> {
    const { scopes, host, work } = this.parts;
    const standIns = work.secrets.standInsFor(node);
    return prepareNode(node, scopes.of(frame), { standIns, logger: host.logger });
  }

  /**
   * Performs what takes time. In a run with secrets their values are read anew before: this node may be given some, and
   * what it is answered may echo any.
   */
  async #performWithSecrets(task: Task, prepared: PreparedNode, signal: AbortSignal): Promise<NodeOutcome> {
    const { secrets } = this.parts.work;
    if (!prepared.ok || secrets === noSecrets) return this.#perform(task, prepared, signal);
    const { node } = task.place;
    try {
      const values = await outlastOutage(signal, () => secrets.current(node.secrets));
      const revealed = revealedParams(node, prepared, values);
      if ('kind' in revealed) return revealed;
      return await this.#perform(task, { ...prepared, ...revealed }, signal);
    } catch (error) {
      if (isOutage(error)) return secretsUnavailable;
      throw error;
    }
  }

  #perform(task: Task, prepared: PreparedNode, signal: AbortSignal): NodeOutcome | Promise<NodeOutcome> {
    const { scopes, host, work } = this.parts;
    if (!prepared.ok) return work.secrets.masked(prepared.failure);
    const { place, attempt, resumed } = task;
    const { frame, node } = place;
    const scope = scopes.of(frame);
    const { mask } = work.secrets;
    const context = { scope, iteration: frame.iteration, attempt, now: host.now(), signal, resumed, mask };
    const outcome = performNode(node, prepared.params, { context, logger: host.logger });
    if (work.secrets === noSecrets) return outcome;
    return outcome instanceof Promise
      ? outcome.then((given) => work.secrets.masked(given))
      : work.secrets.masked(outcome);
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
