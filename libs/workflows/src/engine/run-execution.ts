import { Alarm, type Logger } from '#platform';
import type { Graph, GraphNode } from '../definition/graph';
import type { JsonObject, JsonValue } from '../definition/json';
import {
  type Follows,
  isFinished,
  type RecordedResult,
  replay,
  settle,
  startWalk,
  terminals,
  type WalkState,
} from '../definition/walk';
import type { ExpressionScope } from '../expressions/scope';
import type { NodeError, NodeOutcome } from '../nodes/node-kind';
import { type Checkpointer, LeaseLost, type Recording } from './checkpointer';
import { runNode } from './node-runner';
import { MAX_OUTPUT_BYTES, Recorder, storable } from './recorder';
import type { NodeRecord, Segment } from './segment';
import type { ClaimedRun } from './sql/claim-runs.sql';
import type { RecordedNode } from './sql/load-progress.sql';

/** A node that waits for its time. `recorded` says whether its row is in the database or on its way there. */
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
type Stop =
  | { readonly outcome: 'failed'; readonly error: NodeError & { readonly nodeId?: string } }
  | { readonly outcome: 'canceled'; readonly error: NodeError };

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
export class RunExecution implements Recording {
  readonly runId: string;
  readonly #recorder: Recorder;
  readonly #abort = new AbortController();
  readonly #outputs: { [nodeId: string]: JsonValue } = Object.create(null);
  readonly #scope: ExpressionScope;
  readonly #startedAt: Date;
  readonly #waits = new Map<number, Wait>();
  readonly #active = new Map<number, Date>();
  readonly #alarm = new Alarm(() => this.#wake());
  #state: WalkState;
  #steps: Step[] = [];
  #stop: Stop | null = null;
  /** Set once the run's end, or its parking, is on its way to the database. */
  #leaving: { readonly parkedUntil: Date | null } | null = null;
  #failedBefore = false;
  #driving = false;
  #recording = false;
  #over = false;
  #firstSeqTaken: number;
  #durable: ((recorded: boolean) => void)[] = [];

  constructor(
    private readonly work: ClaimedWork,
    private readonly host: ExecutionHost,
  ) {
    const { claimed, graph, recorded, lastSeq } = work;
    this.runId = claimed.runId;
    this.#firstSeqTaken = lastSeq + 1;
    this.#recorder = new Recorder(claimed.runId, claimed.workspaceId, lastSeq);
    this.#startedAt = earliest(recorded) ?? host.now();
    this.#scope = {
      trigger: claimed.input as JsonValue,
      nodes: this.#outputs,
      run: {
        id: claimed.runId,
        workflowId: claimed.workflowId,
        workspaceId: claimed.workspaceId,
        version: work.versionNumber,
        startedAt: claimed.createdAt.toISOString(),
      },
    };
    this.#recorder.event(lastSeq > 1 ? 'run.resumed' : 'run.started', host.now());
    const trigger = graph.indexOf(claimed.triggerNode);
    const begun = recorded.length > 0 ? this.#replayed(trigger) : startWalk(graph, trigger);
    this.#state = begun.state;
    this.#noteSkipped(begun.skipped);
    this.#steps = begun.ready
      .filter((index) => !this.#waits.has(index))
      .map((index) => ({ index, after: null }));
  }

  /** Begins, or goes on with what was recorded. */
  begin(): void {
    if (this.work.claimed.cancelRequested) this.cancel();
    this.#haltOnRecordedFailure();
    this.#resumeDue();
    void this.#drive();
  }

  /** Somebody wants the run to stop: nodes that run are aborted, nodes that wait are given up. */
  cancel(): void {
    this.#halt({ outcome: 'canceled', error: { code: 'run.canceled', message: 'The run was canceled.' } });
    if (!this.#driving) this.#settleDown();
  }

  /** The lease is gone: whoever holds the run now goes on from what is recorded, and this copy does nothing more. */
  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#alarm.clear();
    this.#abort.abort();
    for (const answer of this.#durable.splice(0)) answer(false);
    this.host.left(this.runId, null);
  }

  /** Ends the run without walking it, for a run that cannot be executed at all. */
  fail(error: NodeError): void {
    this.#halt({ outcome: 'failed', error });
    this.#settleDown();
  }

  take(): Segment {
    const segment = this.#recorder.take();
    this.#firstSeqTaken = segment.firstSeq;
    return segment;
  }

  /** A failure that nothing handles was recorded, and the worker was lost before it could end the run. */
  #haltOnRecordedFailure(): void {
    if (!this.#failedBefore) return;
    const failed = this.work.recorded.find(({ status }) => status === 'failed');
    const error = {
      code: 'node.failed',
      message: 'A node failed.',
      ...(failed?.error as NodeError | undefined),
    };
    this.#halt({ outcome: 'failed', error: { ...error, nodeId: failed?.nodeId ?? '' } });
  }

  #replayed(trigger: number): Follows & { readonly state: WalkState } {
    const { graph, recorded } = this.work;
    const settled: RecordedResult[] = [];
    for (const row of recorded) {
      const nodeIndex = graph.indexOf(row.nodeId);
      if (row.status === 'waiting' && row.resumeAt) {
        this.#waits.set(nodeIndex, { resumeAt: row.resumeAt, startedAt: row.startedAt });
      } else if (row.status === 'succeeded') {
        this.#outputs[row.nodeId] = row.output as JsonValue;
        settled.push({ nodeIndex, status: row.status, ports: row.ports === '' ? [] : row.ports.split(',') });
      } else if (row.status === 'failed') {
        settled.push({ nodeIndex, status: row.status });
      }
    }
    const { state, ready, unhandledFailure } = replay(graph, trigger, settled);
    this.#failedBefore = unhandledFailure;
    // What was skipped was recorded together with the result that it followed from.
    return { state, ready, skipped: [] };
  }

  /** Runs what is ready, and what becomes ready by it. Only one drive is under way at a time. */
  async #drive(): Promise<void> {
    if (this.#driving || this.#over) return;
    this.#driving = true;
    for (let step = this.#steps.shift(); step && !this.#over; step = this.#steps.shift()) {
      const node = this.#node(step.index);
      if (node.kind.purity === 'effect') {
        void this.#performEffect(step);
        continue;
      }
      const startedAt = step.after?.startedAt ?? this.host.now();
      const outcome = this.#run(node, step);
      this.#apply(step, outcome instanceof Promise ? await outcome : outcome, startedAt);
    }
    this.#driving = false;
    this.#settleDown();
  }

  /** Everything the effect depends on is committed before it begins; its own result goes into the next checkpoint. */
  async #performEffect(step: Step): Promise<void> {
    const startedAt = this.host.now();
    const node = this.#node(step.index);
    this.#active.set(step.index, startedAt);
    this.#recorder.event('node.started', startedAt, { nodeId: node.id });
    const committed = await this.#untilDurable();
    if (!committed || this.#over) return;
    if (this.#stop) {
      this.#active.delete(step.index);
      this.#recordCanceled(node, startedAt, 'insert');
    } else {
      const outcome = await this.#run(node, step);
      if (this.#over) return;
      this.#active.delete(step.index);
      this.#apply(step, outcome, startedAt);
    }
    void this.#drive();
  }

  #run(node: GraphNode, step: Step): NodeOutcome | Promise<NodeOutcome> {
    const context = { scope: this.#scope, now: this.host.now(), signal: this.#abort.signal };
    return runNode(node, step.after ? 'resume' : 'execute', context, this.host.logger);
  }

  #apply(step: Step, outcome: NodeOutcome, startedAt: Date): void {
    if (this.#over) return;
    const node = this.#node(step.index);
    switch (outcome.kind) {
      case 'done':
        this.#succeeded(step, node, { ...outcome, startedAt });
        return;
      case 'failed':
        // Aborted because the run is being stopped: the node did not fail by itself.
        if (this.#stop) this.#recordCanceled(node, startedAt, step.after ? 'update' : 'insert');
        else this.#failed(step, node, outcome.error, startedAt);
        return;
      case 'wait':
        this.#waiting(step, node, outcome.resumeAt, startedAt);
        return;
      default:
        outcome satisfies never;
    }
  }

  #succeeded(
    step: Step,
    node: GraphNode,
    result: { readonly output: JsonValue; readonly ports?: readonly string[]; readonly startedAt: Date },
  ): void {
    const stored = storable(result.output);
    if ('error' in stored) {
      this.#failed(step, node, stored.error, result.startedAt);
      return;
    }
    const ports = result.ports ?? ['out'];
    this.#record(step, node, {
      status: 'succeeded',
      ports: ports.join(','),
      output: stored.text,
      error: null,
      startedAt: result.startedAt,
    });
    this.#outputs[node.id] = result.output;
    this.#recorder.event('node.succeeded', this.host.now(), { nodeId: node.id });
    this.#advance(step.index, { status: 'succeeded', ports });
  }

  #failed(step: Step, node: GraphNode, error: NodeError, startedAt: Date): void {
    this.#record(step, node, {
      status: 'failed',
      ports: '',
      output: null,
      error: JSON.stringify(error),
      startedAt,
    });
    this.#recorder.event('node.failed', this.host.now(), {
      nodeId: node.id,
      error: { code: error.code, message: error.message },
    });
    const unhandled = this.#advance(step.index, { status: 'failed' });
    if (unhandled) this.#halt({ outcome: 'failed', error: { ...error, nodeId: node.id } });
  }

  #waiting(step: Step, node: GraphNode, resumeAt: Date, startedAt: Date): void {
    if (this.#stop) {
      this.#recordCanceled(node, startedAt, step.after ? 'update' : 'insert');
      return;
    }
    this.#waits.set(step.index, { resumeAt, startedAt });
    this.#recorder.node({
      ...blank(node, startedAt),
      status: 'waiting',
      resumeAt,
      finishedAt: null,
      write: 'insert',
    });
    this.#recorder.event('node.waiting', this.host.now(), {
      nodeId: node.id,
      resumeAt: resumeAt.toISOString(),
    });
  }

  #record(
    step: Step,
    node: GraphNode,
    result: Pick<NodeRecord, 'status' | 'ports' | 'output' | 'error' | 'startedAt'>,
  ): void {
    this.#recorder.node({
      ...blank(node, result.startedAt),
      ...result,
      finishedAt: this.host.now(),
      write: step.after ? 'update' : 'insert',
    });
  }

  #recordCanceled(node: GraphNode, startedAt: Date, write: 'insert' | 'update'): void {
    const finishedAt = this.host.now();
    this.#recorder.node({ ...blank(node, startedAt), status: 'canceled', finishedAt, write });
    this.#recorder.event('node.canceled', finishedAt, { nodeId: node.id });
  }

  /** Tells the walker of a result; says whether it was a failure that nothing handles. */
  #advance(
    index: number,
    result:
      | { readonly status: 'succeeded'; readonly ports: readonly string[] }
      | { readonly status: 'failed' },
  ): boolean {
    const follows = settle(this.work.graph, this.#state, index, result);
    this.#noteSkipped(follows.skipped);
    if (!this.#stop) this.#steps.push(...follows.ready.map((ready) => ({ index: ready, after: null })));
    return follows.unhandledFailure;
  }

  #noteSkipped(skipped: readonly number[]): void {
    for (const index of skipped) {
      const at = this.host.now();
      const node = this.#node(index);
      this.#recorder.node({ ...blank(node, at), status: 'skipped', finishedAt: at, write: 'insert' });
      this.#recorder.event('node.skipped', at, { nodeId: node.id });
    }
  }

  /** Nothing more is begun; what runs is aborted, what waits is given up. The first reason counts. */
  #halt(stop: Stop): void {
    if (this.#stop || this.#over || this.#leaving) return;
    this.#stop = stop;
    this.#steps = [];
    this.#abort.abort();
    for (const [index, wait] of this.#waits)
      this.#recordCanceled(this.#node(index), wait.startedAt, 'update');
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
    void this.#recordNews();
  }

  #finish(): void {
    const at = this.host.now();
    const output = this.#stop ? null : this.#runOutput();
    if (!this.#stop && output === null) {
      const message = `The outputs of the last nodes are larger than ${MAX_OUTPUT_BYTES} bytes together.`;
      this.#stop = { outcome: 'failed', error: { code: 'run.output_too_large', message } };
    }
    if (!this.#stop && !isFinished(this.#state))
      throw new Error('A run with nothing left to do is not finished.');
    const outcome = this.#stop?.outcome ?? 'succeeded';
    const error = this.#stop?.error;
    this.#recorder.event(
      `run.${outcome}`,
      at,
      error ? { error: { code: error.code, message: error.message } } : {},
    );
    this.#recorder.end({
      kind: 'finished',
      outcome,
      output: this.#stop ? null : output,
      error: error ? JSON.stringify(error) : null,
      startedAt: this.#startedAt,
      finishedAt: at,
    });
    this.#leaving = { parkedUntil: null };
  }

  /** The run's output: what its last nodes gave, by node id. Null when that is too large to be kept. */
  #runOutput(): string | null {
    const last: { [nodeId: string]: JsonValue } = Object.create(null);
    for (const index of terminals(this.work.graph, this.#state)) {
      const { id } = this.#node(index);
      last[id] = this.#outputs[id] ?? null;
    }
    const text = JSON.stringify(last satisfies JsonObject);
    return Buffer.byteLength(text) <= MAX_OUTPUT_BYTES ? text : null;
  }

  #park(): void {
    const resumeAt = this.#nextResume();
    this.#recorder.event('run.waiting', this.host.now(), { resumeAt: resumeAt.toISOString() });
    this.#recorder.end({ kind: 'parked', resumeAt });
    this.#leaving = { parkedUntil: resumeAt };
  }

  #nextResume(): Date {
    return new Date(Math.min(...[...this.#waits.values()].map(({ resumeAt }) => resumeAt.getTime())));
  }

  #wake(): void {
    if (this.#over || this.#stop) return;
    this.#resumeDue();
    void this.#drive();
  }

  #resumeDue(): void {
    const nowMs = this.host.now().getTime();
    for (const [index, wait] of this.#waits) {
      if (wait.resumeAt.getTime() > nowMs) continue;
      this.#waits.delete(index);
      this.#steps.push({ index, after: wait });
    }
  }

  /** Resolves true once everything that has happened so far is committed, false when it never will be. */
  #untilDurable(): Promise<boolean> {
    return new Promise((answer) => {
      this.#durable.push(answer);
      void this.#recordNews();
    });
  }

  /** Records until there is no more news. A run is in one flush at a time, so its checkpoints keep their order. */
  async #recordNews(): Promise<void> {
    if (this.#recording) return;
    this.#recording = true;
    try {
      while (this.#recorder.hasNews && !this.#over) {
        const recorded = await this.host.checkpointer.record(this);
        if (recorded === 'refused') this.#endRefused();
      }
    } catch (error) {
      if (!(error instanceof LeaseLost))
        this.host.logger.error('a run was dropped', { runId: this.runId, error });
      this.abandon();
      return;
    } finally {
      this.#recording = false;
    }
    for (const answer of this.#durable.splice(0)) answer(!this.#over);
    if (this.#leaving && !this.#over) this.#leave(this.#leaving.parkedUntil);
  }

  #leave(parkedUntil: Date | null): void {
    this.#over = true;
    this.#alarm.clear();
    this.host.left(this.runId, parkedUntil);
  }

  /** A value the database does not take ends the run with that reason, instead of being tried for ever. */
  #endRefused(): void {
    this.#recorder.rollBack(this.#firstSeqTaken);
    this.#waits.clear();
    this.#active.clear();
    this.#steps = [];
    this.#abort.abort();
    const message = 'A result of this run could not be stored; see the error log of the server.';
    this.#stop = { outcome: 'failed', error: { code: 'run.result_not_recordable', message } };
    this.#finish();
  }

  #node(index: number): GraphNode {
    const node = this.work.graph.nodes[index];
    if (!node) throw new Error(`The graph has no node ${index}.`);
    return node;
  }
}

function blank(node: GraphNode, startedAt: Date): NodeRecord {
  return {
    nodeId: node.id,
    iteration: '',
    status: 'skipped',
    ports: '',
    output: null,
    error: null,
    resumeAt: null,
    startedAt,
    finishedAt: startedAt,
    write: 'insert',
  };
}

function earliest(recorded: readonly RecordedNode[]): Date | null {
  const times = recorded.map(({ startedAt }) => startedAt.getTime());
  return times.length === 0 ? null : new Date(Math.min(...times));
}
