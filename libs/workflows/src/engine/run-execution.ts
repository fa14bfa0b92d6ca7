import { Alarm, type Logger } from '#platform';
import type { Graph, GraphNode } from '../definition/graph';
import type { JsonValue } from '../definition/json';
import {
  type Follows,
  isFinished,
  type NodeResult,
  type RecordedResult,
  replay,
  settle,
  startWalk,
  terminals,
  type WalkState,
} from '../definition/walk';
import type { ExpressionScope } from '../expressions/scope';
import type { NodeError, NodeOutcome } from '../nodes/node-kind';
import type { Checkpointer } from './checkpointer';
import { runNode } from './node-runner';
import { storable } from './recorder';
import { type NodeResultRecord, RunJournal } from './run-journal';
import type { ClaimedRun } from './sql/claim-runs.sql';
import type { RecordedNode } from './sql/load-progress.sql';

/** Pure nodes are over in no time, so there is nothing to abort. */
const NEVER = new AbortController().signal;

/** A node that waits for its time. */
interface Wait {
  readonly resumeAt: Date;
  readonly startedAt: Date;
}

/** A node about to run, or to go on after its wait. */
interface Step {
  readonly index: number;
  readonly after: Wait | null;
}

/** How a run is being brought to an end before its graph is walked. */
interface Stop {
  readonly outcome: 'failed' | 'canceled';
  readonly error: NodeError & { readonly nodeId?: string };
}

/** What a run needs of its surroundings. */
export interface ExecutionHost {
  readonly checkpointer: Checkpointer;
  readonly logger: Logger;
  /** The database's time as well as this host knows it. */
  now(): Date;
  /** The run is out of this worker's hands: recorded as finished or parked, or abandoned with the lease. */
  left(runId: string, parkedUntil: Date | null): void;
}

/** What is known of a run when it is claimed. `recorded` is empty for one that begins. */
export interface ClaimedWork {
  readonly claimed: ClaimedRun;
  readonly graph: Graph;
  readonly versionNumber: number;
  readonly recorded: readonly RecordedNode[];
  readonly lastSeq: number;
}

/**
 * One run in a worker's hands, from its claim until it is finished or parked. It performs what the pure walker
 * decides: runs ready nodes, records results, and asks the walker what follows.
 *
 * What must never happen here: an effect before the results it depends on are committed; a result that is not
 * recorded before the run leaves; anything after the lease is lost.
 */
export class RunExecution {
  readonly #journal: RunJournal;
  /** Made when an effect begins: most runs have none, and making one costs as much as a node. */
  #abort: AbortController | null = null;
  readonly #outputs: { [nodeId: string]: JsonValue } = {};
  readonly #scope: ExpressionScope;
  readonly #startedAt: Date;
  readonly #waits = new Map<number, Wait>();
  readonly #active = new Set<number>();
  readonly #alarm = new Alarm(() => this.#wake());
  readonly #state: WalkState;
  #steps: Step[];
  #stop: Stop | null = null;
  /** Set once the run's end, or its parking, is on its way to the database. */
  #leaving: { readonly parkedUntil: Date | null } | null = null;
  #failedBefore = false;
  #walking = false;
  #over = false;

  constructor(
    private readonly work: ClaimedWork,
    private readonly host: ExecutionHost,
  ) {
    const { claimed, graph, recorded, lastSeq } = work;
    const { runId, workspaceId, workflowId } = claimed;
    this.#journal = new RunJournal(
      { runId, workspaceId, lastSeq },
      {
        ...host,
        now: () => host.now(),
        owner: { left: () => this.#leave(), lost: () => this.abandon(), refused: () => this.#endRefused() },
      },
    );
    this.#startedAt = earliest(recorded) ?? host.now();
    const startedAt = claimed.createdAt.toISOString();
    this.#scope = {
      trigger: claimed.input,
      nodes: this.#outputs,
      run: { id: runId, workflowId, workspaceId, version: work.versionNumber, startedAt },
    };
    this.#journal.event(lastSeq > 1 ? 'run.resumed' : 'run.started');
    const trigger = graph.indexOf(claimed.triggerNode);
    const begun = recorded.length > 0 ? this.#replayed(trigger) : startWalk(graph, trigger);
    this.#state = begun.state;
    for (const index of begun.skipped) this.#journal.skipped(this.#node(index));
    this.#steps = begun.ready
      .filter((index) => !this.#waits.has(index))
      .map((index) => ({ index, after: null }));
  }

  /** Begins, or goes on with what was recorded. */
  begin(): void {
    if (this.work.claimed.cancelRequested) this.cancel();
    this.#haltOnRecordedFailure();
    this.#resumeDue();
    this.#drive();
  }

  /** Somebody wants the run to stop: nodes that run are aborted, nodes that wait are given up. */
  cancel(): void {
    this.#halt({ outcome: 'canceled', error: { code: 'run.canceled', message: 'The run was canceled.' } });
    if (!this.#walking) this.#settleDown();
  }

  /** Ends the run without walking it, for a run that must not be executed. */
  fail(error: NodeError): void {
    this.#halt({ outcome: 'failed', error });
    this.#settleDown();
  }

  /** The lease is gone: whoever holds the run now goes on from what is recorded, and this copy does nothing more. */
  abandon(): void {
    if (this.#over) return;
    this.#abort?.abort();
    this.#end(null);
  }

  /** Takes up the state that the recorded rows stand for. */
  #replayed(trigger: number): Follows & { readonly state: WalkState } {
    const { graph, recorded } = this.work;
    const settled: RecordedResult[] = [];
    for (const row of recorded) {
      const nodeIndex = graph.indexOf(row.nodeId);
      if (row.status === 'waiting' && row.resumeAt) {
        this.#waits.set(nodeIndex, { resumeAt: row.resumeAt, startedAt: row.startedAt });
      } else if (row.status === 'succeeded') {
        this.#outputs[row.nodeId] = row.output;
        settled.push({ nodeIndex, status: 'succeeded', ports: row.ports === '' ? [] : row.ports.split(',') });
      } else if (row.status === 'failed') {
        settled.push({ nodeIndex, status: 'failed' });
      }
    }
    const { state, ready, unhandledFailure } = replay(graph, trigger, settled);
    this.#failedBefore = unhandledFailure;
    // What was skipped was recorded together with the result that it followed from.
    return { state, ready, skipped: [] };
  }

  /** A failure that nothing handles was recorded, and the worker was lost before it could end the run. */
  #haltOnRecordedFailure(): void {
    if (!this.#failedBefore) return;
    const failed = this.work.recorded.find(({ status }) => status === 'failed');
    const error = failed?.error ?? { code: 'node.failed', message: 'A node failed.' };
    this.#halt({ outcome: 'failed', error: { ...error, nodeId: failed?.nodeId ?? '' } });
  }

  /** Walks on; a fault of ours on the way ends the run with that reason, and the worker goes on with the others. */
  #drive(): void {
    this.#walk().catch((error: unknown) => this.#fault(error));
  }

  /** Runs what is ready, and what becomes ready by it. Only one walk is under way at a time. */
  async #walk(): Promise<void> {
    if (this.#walking || this.#over) return;
    this.#walking = true;
    for (let step = this.#steps.shift(); step && !this.#over; step = this.#steps.shift()) {
      const current = step;
      if (this.#node(step.index).kind.purity === 'effect') {
        this.#performEffect(step).catch((error: unknown) => {
          this.#active.delete(current.index);
          this.#fault(error);
        });
        continue;
      }
      const result = this.#resultOf(step);
      const outcome = this.#run(step);
      // Awaiting a plain value would cost a turn for each pure node.
      this.#apply(step, result, outcome instanceof Promise ? await outcome : outcome);
    }
    this.#walking = false;
    this.#settleDown();
  }

  /** Everything the effect depends on is committed before it begins; its own result goes into the next checkpoint. */
  async #performEffect(step: Step): Promise<void> {
    const result = this.#resultOf(step);
    this.#active.add(step.index);
    this.#journal.event('node.started', { nodeId: result.node.id });
    if (!(await this.#journal.committed()) || this.#over) return;
    const outcome = this.#stop ? null : await this.#run(step);
    if (this.#over) return;
    this.#active.delete(step.index);
    if (outcome) this.#apply(step, result, outcome);
    else this.#journal.canceled(result);
    this.#drive();
  }

  #resultOf({ index, after }: Step): NodeResultRecord {
    return {
      node: this.#node(index),
      startedAt: after?.startedAt ?? this.host.now(),
      waited: after !== null,
    };
  }

  #run({ index, after }: Step): NodeOutcome | Promise<NodeOutcome> {
    const node = this.#node(index);
    const context = { scope: this.#scope, now: this.host.now(), signal: this.#signalFor(node) };
    return runNode({ node, verb: after ? 'resume' : 'execute' }, context, this.host.logger);
  }

  #signalFor({ kind }: GraphNode): AbortSignal {
    if (kind.purity === 'pure') return NEVER;
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  #apply(step: Step, result: NodeResultRecord, outcome: NodeOutcome): void {
    if (this.#over) return;
    switch (outcome.kind) {
      case 'done': {
        const stored = storable(outcome.output);
        if ('error' in stored) this.#failed(step, result, stored.error);
        else this.#succeeded(step, result, { ...outcome, text: stored.text });
        return;
      }
      case 'failed':
        // Aborted because the run is being stopped: the node did not fail by itself.
        if (this.#stop) this.#journal.canceled(result);
        else this.#failed(step, result, outcome.error);
        return;
      case 'wait':
        if (this.#stop) this.#journal.canceled(result);
        else {
          this.#waits.set(step.index, { resumeAt: outcome.resumeAt, startedAt: result.startedAt });
          this.#journal.waiting(result, outcome.resumeAt);
        }
        return;
      default:
        outcome satisfies never;
    }
  }

  #succeeded(
    step: Step,
    result: NodeResultRecord,
    done: { readonly output: JsonValue; readonly text: string; readonly ports?: readonly string[] },
  ): void {
    const ports = done.ports ?? ['out'];
    this.#journal.succeeded(result, ports, done.text);
    this.#outputs[result.node.id] = done.output;
    this.#advance(step.index, { status: 'succeeded', ports });
  }

  #failed(step: Step, result: NodeResultRecord, error: NodeError): void {
    this.#journal.failed(result, error);
    const unhandled = this.#advance(step.index, { status: 'failed' });
    if (unhandled) this.#halt({ outcome: 'failed', error: { ...error, nodeId: result.node.id } });
  }

  /** Tells the walker of a result; says whether it was a failure that nothing handles. */
  #advance(index: number, result: NodeResult): boolean {
    const follows = settle(this.work.graph, this.#state, index, result);
    for (const skipped of follows.skipped) this.#journal.skipped(this.#node(skipped));
    if (!this.#stop) this.#steps.push(...follows.ready.map((ready) => ({ index: ready, after: null })));
    return follows.unhandledFailure;
  }

  /** Nothing more is begun; what runs is aborted, what waits is given up. The first reason counts. */
  #halt(stop: Stop): void {
    if (this.#stop || this.#over || this.#leaving) return;
    this.#stop = stop;
    this.#steps = [];
    this.#abort?.abort();
    for (const [index, { startedAt }] of this.#waits) {
      this.#journal.canceled({ node: this.#node(index), startedAt, waited: true });
    }
    this.#waits.clear();
  }

  /** A burst of nodes is over: end the run, park it, or let it go on; and record what there is. */
  #settleDown(): void {
    if (this.#over || this.#leaving) return;
    if (this.#active.size === 0) {
      if (this.#stop || this.#waits.size === 0) this.#finish();
      else this.#park();
    } else if (this.#waits.size > 0) {
      this.#alarm.setWithin(this.#nextResume().getTime() - this.host.now().getTime());
    }
    void this.#journal.flush();
  }

  #finish(): void {
    if (!this.#stop && !isFinished(this.#state)) {
      throw new Error('A run with nothing left to do is not finished.');
    }
    const output = this.#stop ? null : storable(this.#runOutput());
    if (output && 'error' in output) this.#stop = { outcome: 'failed', error: output.error };
    const { outcome, error } = this.#stop ?? { outcome: 'succeeded' as const, error: null };
    this.#journal.event(
      `run.${outcome}`,
      error ? { error: { code: error.code, message: error.message } } : {},
    );
    this.#leaving = { parkedUntil: null };
    this.#journal.close({
      kind: 'finished',
      outcome,
      output: output && 'text' in output ? output.text : null,
      error: error ? JSON.stringify(error) : null,
      startedAt: this.#startedAt,
      finishedAt: this.host.now(),
    });
  }

  /** The run's output: what its last nodes gave, by node id. */
  #runOutput(): JsonValue {
    const ids = terminals(this.work.graph, this.#state).map((index) => this.#node(index).id);
    return Object.fromEntries(ids.map((id) => [id, this.#outputs[id] ?? null]));
  }

  #park(): void {
    const resumeAt = this.#nextResume();
    this.#journal.event('run.waiting', { resumeAt: resumeAt.toISOString() });
    this.#leaving = { parkedUntil: resumeAt };
    this.#journal.close({ kind: 'parked', resumeAt });
  }

  #nextResume(): Date {
    return new Date(Math.min(...[...this.#waits.values()].map(({ resumeAt }) => resumeAt.getTime())));
  }

  #wake(): void {
    if (this.#over || this.#stop) return;
    this.#resumeDue();
    this.#drive();
  }

  #resumeDue(): void {
    const nowMs = this.host.now().getTime();
    for (const [index, wait] of this.#waits) {
      if (wait.resumeAt.getTime() > nowMs) continue;
      this.#waits.delete(index);
      this.#steps.push({ index, after: wait });
    }
  }

  #leave(): void {
    this.#end(this.#leaving?.parkedUntil ?? null);
  }

  #end(parkedUntil: Date | null): void {
    this.#over = true;
    this.#alarm.clear();
    this.#journal.end();
    this.host.left(this.work.claimed.runId, parkedUntil);
  }

  /** A value the database does not take ends the run with that reason, instead of being tried for ever. */
  #endRefused(): void {
    const message = 'A result of this run could not be stored; see the error log of the server.';
    this.#endWith({ code: 'run.result_not_recordable', message });
  }

  #fault(error: unknown): void {
    const { runId } = this.work.claimed;
    this.host.logger.error('a run could not be executed', { runId, error });
    if (this.#over || this.#leaving) return;
    const message = 'The engine met an unexpected fault; see the error log of the server.';
    this.#endWith({ code: 'run.engine_fault', message });
    void this.#journal.flush();
  }

  /** Ends the run as it stands, whatever is still under way. */
  #endWith(error: NodeError): void {
    this.#waits.clear();
    this.#active.clear();
    this.#steps = [];
    this.#abort?.abort();
    this.#stop = { outcome: 'failed', error };
    this.#finish();
  }

  #node(index: number): GraphNode {
    const node = this.work.graph.nodes[index];
    if (!node) throw new Error(`The graph has no node ${index}.`);
    return node;
  }
}

function earliest(recorded: readonly RecordedNode[]): Date | null {
  const times = recorded.map(({ startedAt }) => startedAt.getTime());
  return times.length === 0 ? null : new Date(Math.min(...times));
}
