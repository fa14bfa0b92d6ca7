import { Alarm, sleep } from '#platform';
import type { Frame, Place } from '../definition/frame';
import type { PlaceResult } from '../definition/results';
import type { Follows, RunWalk } from '../definition/run-walk';
import type { LoopBegun, NodeDone, NodeError, NodeFailure, NodeOutcome } from '../nodes/node-kind';
import { Attempts } from './attempts';
import {
  beginWalk,
  type ClaimedWork,
  deadlineExceeded,
  deadlineOf,
  type ExecutionHost,
  type RunLeft,
  sizeOf,
  startOf,
} from './claimed-work';
import { continuationOf } from './continuing';
import { runLimits, sizeError, tooManyItems } from './limits';
import { NodeBook } from './node-book';
import { type Given, NodeExecutor } from './node-executor';
import { storable } from './recorder';
import { verdictOn } from './retrying';
import { engineFault, notRecordable, runEnding, type Stop } from './run-ending';
import { RunJournal } from './run-journal';
import { Scopes } from './scopes';
import type { RecordedNode } from './sql/load-progress.sql';
import type { KeptSignal } from './sql/signals.sql';
import type { Task } from './task';
import { type EndedWait, type Wait, Waits } from './waits';

const nobody = { children: false, parent: false } as const;

/**
 * One run in a worker's hands, from its claim until it is finished or parked. It performs what the pure walk decides:
 * runs ready nodes, records results, and asks the walk what follows.
 *
 * What must never happen here: an effect before the results it depends on are committed; a result that is not
 * recorded before the run leaves; anything after the lease is lost.
 */
export class RunExecution {
  readonly #journal: RunJournal;
  readonly #book: NodeBook;
  readonly #walk: RunWalk;
  readonly #scopes: Scopes;
  readonly #startedAt: Date;
  readonly #deadline: Date | null;
  readonly #waits = new Waits();
  readonly #attempts = new Attempts();
  readonly #executor: NodeExecutor;
  readonly #alarm = new Alarm(() => this.#wake());
  #tasks: Task[] = [];
  #stop: Stop | null = null;
  /** Set once the run's end, or its parking, is on its way to the database. */
  #leaving: RunLeft | null = null;
  readonly #size: { nodeRuns: number; bytes: number };
  #hadChildren = false;
  #seenSignals: number;
  #walking = false;
  #over = false;

  constructor(
    private readonly work: ClaimedWork,
    private readonly host: ExecutionHost,
  ) {
    const { claimed, recorded, lastSeq } = work;
    const { runId, workspaceId, workflowId } = claimed;
    const now = () => host.now();
    const owner = {
      left: () => this.#leave(),
      lost: () => this.abandon(),
      refused: () => this.#endWith(notRecordable),
    };
    const rescued = claimed.rescues > 0;
    this.#journal = new RunJournal({ ...claimed, lastSeq, rescued }, { ...host, now, owner });
    this.#book = new NodeBook(this.#journal, now);
    this.#startedAt = startOf(work) ?? now();
    this.#deadline = deadlineOf(work);
    const startedAt = claimed.createdAt.toISOString();
    this.#scopes = new Scopes({
      trigger: claimed.input,
      run: { id: runId, workflowId, workspaceId, version: work.versionNumber, startedAt },
      callbackUrl: (nodeId, iteration) => host.callbackUrl(claimed, nodeId, iteration),
    });
    this.#executor = new NodeExecutor({
      work,
      host,
      scopes: this.#scopes,
      journal: this.#journal,
      book: this.#book,
      attempts: this.#attempts,
      given: (attempt, given) => {
        this.#attempts.end(attempt);
        this.#apply(attempt.task, given, attempt.startedAt);
        this.#drive();
      },
      fault: (attempt, error) => {
        this.#attempts.end(attempt);
        this.#fault(error);
      },
    });
    this.#size = sizeOf(work);
    this.#seenSignals = claimed.signalCount;
    this.#journal.event(lastSeq > 1 ? 'run.resumed' : 'run.started');
    const begun = beginWalk(work);
    this.#walk = begun.walk;
    for (const row of recorded) this.#restore(row);
    this.#follow(begun.follows);
  }

  /** Begins, or goes on with what was recorded. */
  begin(): void {
    this.#receive(this.work.signals);
    if (this.work.claimed.cancelRequested) this.cancel();
    else if (this.#waits.isUndecided) this.#settleDown();
    else {
      this.#resumeDue();
      this.#drive();
    }
  }

  /** Somebody wants the run to stop: nodes that run are aborted, nodes that wait are given up. */
  cancel(): void {
    this.#halt({ outcome: 'canceled', error: { code: 'run.canceled', message: 'The run was canceled.' } });
    if (!this.#walking) this.#settleDown();
  }

  /**
   * Something has come for nodes of this run. What comes while it is leaving is not taken: the parking knows less messages
   * than there are, and leaves the run in the queue.
   */
  signal(signals: readonly KeptSignal[], signalCount: number): void {
    if (this.#over || this.#leaving) return;
    this.#seenSignals = signalCount;
    this.#receive(signals);
    this.#drive();
  }

  /** Ends the run without walking it, for a run that must not be executed. */
  fail(error: NodeError): void {
    this.#halt({ outcome: 'failed', error });
    this.#settleDown();
  }

  /** The lease is gone: whoever holds the run now goes on from what is recorded, and this copy does nothing more. */
  abandon(): void {
    if (this.#over) return;
    this.#attempts.abortWhere(() => true);
    this.#end({ parkedUntil: null, concerns: nobody });
  }

  /** Takes up a node that had begun and not ended. */
  #restore({ nodeId, iteration, status, startedAt, state, resumeAt, attempts: attempt }: RecordedNode): void {
    if (status !== 'waiting' && status !== 'running') return;
    const place = this.#walk.find(nodeId, iteration);
    if (place === null) {
      // Of an item that failed: it was given up, and the worker was lost before it could say so.
      this.#journal.canceled({ nodeId, iteration, startedAt, attempt, hasRow: true });
      return;
    }
    this.#book.restore(place, startedAt);
    if (state === null || state.kind === 'loop') return;
    if (state.kind === 'attempt') {
      // A worker was lost in the middle of an attempt that may not be repeated without asking.
      const evidence = { attempt, startedAt: state.startedAt, request: state.request };
      this.#waits.add(place, { resumeAt: null, attempt, state: { kind: 'decision', ...evidence } });
      this.#book.needsDecision(place, evidence);
      return;
    }
    this.#waits.add(place, { resumeAt, attempt, state });
    if (state.kind === 'child') this.#hadChildren = true;
  }

  // ── Walking ──

  /** Walks on; a fault of ours on the way ends the run with that reason, and the worker goes on with the others. */
  #drive(): void {
    this.#run().catch((error: unknown) => this.#fault(error));
  }

  /** Runs what is ready, and what becomes ready by it. Only one walk is under way at a time. */
  async #run(): Promise<void> {
    if (this.#walking || this.#over) return;
    this.#walking = true;
    let steps = 0;
    for (let task = this.#tasks.shift(); task && !this.#over; task = this.#tasks.shift()) {
      if (task.place.node.kind.purity === 'pure') {
        const outcome = this.#executor.compute(task);
        // Awaiting a plain value would cost a turn for each pure node.
        this.#apply(task, outcome instanceof Promise ? await outcome : outcome, null);
      } else this.#executor.begin(task);
      steps += 1;
      if (steps % runLimits.stepsPerTurn === 0) await this.#pause();
    }
    this.#walking = false;
    this.#settleDown();
  }

  /** A long computation lets others have a turn, and records what it has done so far. */
  async #pause(): Promise<void> {
    if (this.#journal.size >= runLimits.rowsPerCheckpoint) await this.#journal.committed();
    else await sleep(0);
  }

  // ── What an execution gives ──

  #apply(task: Task, outcome: NodeOutcome | Given, startedAt: Date | null): void {
    // A pure node that takes time is no attempt that could be aborted: its item may be given up meanwhile.
    if (this.#over || this.#stop || !this.#walk.awaits(task.place)) return;
    const { place, attempt } = task;
    switch (outcome.kind) {
      case 'done':
        return this.#done(task, outcome, startedAt);
      case 'failed':
        return this.#attemptFailed(task, outcome, startedAt);
      case 'wait': {
        const { on, resumeAt, data = null } = outcome;
        return this.#waitFor(place, { resumeAt, attempt, state: { kind: 'wait', on, data } }, startedAt);
      }
      case 'loop':
        return this.#beginLoop(task, outcome);
      case 'called': {
        this.#hadChildren = true;
        const state = { kind: 'child', runId: outcome.runId } as const;
        return this.#waitFor(place, { resumeAt: null, attempt, state }, startedAt);
      }
      case 'call':
        throw new Error(`The kind ${place.node.kind.type} calls a workflow, so it must be an effect.`);
      default:
        return outcome satisfies never;
    }
  }

  #done(task: Task, { output, ports = ['out'], responds }: NodeDone, startedAt: Date | null): void {
    const stored = storable(output);
    if ('error' in stored) {
      this.#attemptFailed(task, { kind: 'failed', error: stored.error, retryable: false }, startedAt);
      return;
    }
    const { place, attempt } = task;
    if (responds) this.#journal.event('run.responded', { nodeId: place.node.id });
    this.#book.succeeded(place, attempt, { ports, output, text: stored.text, startedAt });
    this.#size.bytes += stored.text.length;
    this.#settle(place, { status: 'succeeded', ports, output });
  }

  #failed(
    place: Place,
    attempt: number,
    failed: { readonly error: NodeError; readonly startedAt: Date | null },
  ) {
    this.#book.failed(place, attempt, failed);
    this.#settle(place, { status: 'failed', error: failed.error });
  }

  #attemptFailed(task: Task, failure: NodeFailure, startedAt: Date | null): void {
    const { place, attempt } = task;
    const { frame, node } = place;
    const key = `${this.work.claimed.runId}:${node.id}:${frame.iteration}`;
    const verdict = verdictOn({ node, failure, attempt, key }, () =>
      this.#scopes.withError(frame, failure.error),
    );
    const follow = (given: Awaited<typeof verdict>): void => {
      if (given.kind === 'give up') {
        this.#failed(place, attempt, { error: given.error, startedAt });
        return;
      }
      const resumeAt = new Date(this.host.now().getTime() + given.delayMs);
      this.#waitFor(place, { resumeAt, attempt, state: { kind: 'retry', error: failure.error } }, startedAt);
    };
    if (!(verdict instanceof Promise)) {
      follow(verdict);
      return;
    }
    // The author's condition takes time: until it has answered, the node is still under way.
    const asking = this.#attempts.begin(task, startedAt ?? this.host.now());
    const answered = verdict.then((given) => {
      if (!this.#attempts.end(asking)) return;
      follow(given);
      this.#drive();
    });
    answered.catch((error: unknown) => this.#fault(error));
  }

  #waitFor(place: Place, wait: Wait, startedAt: Date | null): void {
    this.#book.waiting(place, wait, startedAt);
    this.#waits.add(place, wait);
    this.#serve(place);
  }

  #beginLoop({ place, attempt }: Task, { kind: _, ...items }: LoopBegun): void {
    const { length } = items.items;
    const stored = length > runLimits.itemsPerLoop ? tooManyItems(length) : storable([...items.items]);
    if ('error' in stored) {
      this.#failed(place, attempt, { error: stored.error, startedAt: null });
      return;
    }
    this.#book.started(place, attempt);
    // The items are kept as they are now: computed again after a crash, they might be others.
    this.#book.running(place, attempt, { kind: 'loop', ...items });
    this.#size.bytes += stored.text.length;
    this.#follow(this.#walk.beginLoop(place, items));
  }

  // ── What follows from a result ──

  #settle(place: Place, result: PlaceResult): void {
    this.#size.nodeRuns += 1;
    this.#follow(this.#walk.settle(place, result));
    const error = this.#stop ? null : sizeError(this.#size);
    if (error) this.#halt({ outcome: 'failed', error });
  }

  #follow({ ready, skipped, ended, abandoned, failure }: Follows): void {
    for (const frame of abandoned) this.#giveUp(frame);
    for (const place of skipped) this.#journal.skipped(place);
    this.#size.nodeRuns += skipped.length;
    if (!this.#stop) {
      for (const place of ready) {
        if (!this.#waits.has(place)) this.#tasks.push({ place, attempt: 1, resumed: null });
      }
    }
    for (const { place, result } of ended) {
      const task: Task = { place, attempt: 1, resumed: null };
      if (result.status === 'succeeded') this.#done(task, { kind: 'done', ...result }, null);
      else this.#failed(place, 1, { error: result.error, startedAt: null });
    }
    if (failure !== null) {
      this.#halt({ outcome: 'failed', error: { ...failure.error, nodeId: failure.place.node.id } });
    }
  }

  /** What is under way for an item that has failed already does not matter any more. */
  #giveUp(frame: Frame): void {
    this.#tasks = this.#tasks.filter(({ place }) => place.frame !== frame);
    this.#cancelWhere((place) => place.frame === frame);
  }

  /** Aborts what runs and gives up what waits. */
  #cancelWhere(concerned: (place: Place) => boolean): void {
    for (const { task, startedAt } of this.#attempts.abortWhere(concerned)) {
      this.#book.canceled(task.place, task.attempt, startedAt);
    }
    for (const place of this.#book.openWhere(concerned)) {
      this.#book.canceled(place, this.#waits.attemptOf(place), null);
      this.#waits.delete(place);
    }
  }

  /** Nothing more is begun; what runs is aborted, what waits is given up. The first reason counts. */
  #halt(stop: Stop): void {
    if (this.#stop || this.#over || this.#leaving) return;
    this.#stop = stop;
    this.#tasks = [];
    this.#cancelWhere(() => true);
  }

  // ── Messages and time ──

  #receive(signals: readonly KeptSignal[]): void {
    for (const signal of signals) {
      this.#waits.receive(signal);
      const place = this.#walk.find(signal.nodeId, signal.iteration);
      if (place) this.#serve(place);
    }
  }

  /** Hands a node that waits what has come for it, if anything has. */
  #serve(place: Place): void {
    const served = this.#stop ? null : this.#waits.takeServed(place);
    if (served === null) return;
    this.#book.served(place);
    this.#goOn(served);
  }

  #goOn(wait: EndedWait): void {
    const { task, outcome, decided } = continuationOf(wait);
    if (decided) {
      const { node, frame } = task.place;
      const { iteration } = frame;
      this.#journal.event('node.decided', {
        nodeId: node.id,
        ...(iteration !== '' && { iteration }),
        ...decided,
      });
    }
    if (outcome === null) this.#tasks.push(task);
    else this.#apply(task, this.work.secrets.masked(outcome), null);
  }

  #wake(): void {
    if (this.#over || this.#stop || this.#leaving) return;
    this.#resumeDue();
    this.#drive();
  }

  #resumeDue(): void {
    const now = this.host.surelyReached();
    if (this.#deadline !== null && this.#deadline <= now) {
      this.#halt({ outcome: 'failed', error: deadlineExceeded(this.work) });
      return;
    }
    for (const due of this.#waits.takeDue(now)) this.#goOn(due);
  }

  // ── Leaving ──

  /** A burst of nodes is over: end the run, park it, or let it go on; and record what there is. */
  #settleDown(): void {
    if (this.#over || this.#leaving) return;
    const next = this.#waits.nextInstant(this.#deadline);
    const inMs = next === null ? null : next.getTime() - this.host.surelyReached().getTime();
    if (this.#attempts.size > 0) {
      if (inMs !== null) this.#alarm.setWithin(inMs);
    } else if (this.#stop || this.#waits.size === 0) this.#finish();
    else if (this.#waits.isUndecided) this.#park('undecided', this.#deadline);
    else if (inMs !== null && inMs <= 0) {
      this.#wake();
      return;
    } else this.#park('parked', next);
    void this.#journal.flush();
  }

  #finish(): void {
    if (!this.#stop && !this.#walk.isFinished) {
      throw new Error('A run with nothing left to do is not finished.');
    }
    const times = { startedAt: this.#startedAt, finishedAt: this.host.now() };
    const given = { stop: this.#stop, output: () => this.#walk.output() };
    const { end, error } = runEnding(this.work, given, times);
    const told = error ? { error: { code: error.code, message: error.message } } : {};
    this.#journal.event(`run.${end.outcome}`, told);
    const concerns = {
      children: this.#hadChildren && end.outcome !== 'succeeded',
      parent: end.told !== null,
    };
    this.#leaving = { parkedUntil: null, concerns };
    this.#journal.close(end);
  }

  #park(state: 'parked' | 'undecided', resumeAt: Date | null): void {
    const until = resumeAt === null ? {} : { resumeAt: resumeAt.toISOString() };
    this.#journal.event(state === 'parked' ? 'run.waiting' : 'run.needs_decision', until);
    this.#leaving = { parkedUntil: resumeAt, concerns: nobody };
    this.#journal.close({ kind: 'parked', state, resumeAt, seenSignals: this.#seenSignals });
  }

  #leave(): void {
    if (this.#leaving) this.#end(this.#leaving);
  }

  #end(how: RunLeft): void {
    this.#over = true;
    this.#alarm.clear();
    this.#journal.end();
    this.host.left(this.work.claimed, how);
  }

  #fault(error: unknown): void {
    const { runId } = this.work.claimed;
    this.host.logger.error('a run could not be executed', { runId, error });
    if (this.#over || this.#leaving) return;
    this.#endWith(engineFault);
    void this.#journal.flush();
  }

  /** Ends the run as it stands, whatever is still under way. */
  #endWith(error: NodeError): void {
    this.#attempts.abortWhere(() => true);
    this.#waits.clear();
    this.#tasks = [];
    this.#stop = { outcome: 'failed', error };
    this.#finish();
  }
}
