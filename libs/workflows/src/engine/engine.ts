import { Injectable } from '@nestjs/common';
import { Clock, Db, Ids, Logger, type Tx } from '#platform';
import { RunAdmission } from '../ports';
import { channels } from './channels';
import { Gates } from './gates';
import { RunStarter, type StartIn, type StartRequest, type StartResult } from './run-starter';
import type { QueueState } from './queue-state';
import {
  anyToCancel,
  cancelHeldByNobody,
  type HeldPlace,
  type LiveRun,
  lockHeldByNobody,
  lockLiveRun,
  requestCancel,
  requestCancelOfWorkflow,
} from './sql/cancel-run.sql';
import { notify } from './sql/notify.sql';
import {
  cancelChildren,
  insertSignal,
  isSettled,
  type Signal,
  signalRun,
  type StoppedRun,
  waitsForDecision,
  withdrawSignal,
} from './sql/signals.sql';

/** What asking for a cancellation brought about. */
export type CancelResult = 'canceled' | 'requested' | 'not_live';

/** What came of canceling a batch of runs. */
export interface CanceledSome {
  /** Ended at once. */
  readonly canceled: number;
  /** In the hands of workers, which were asked. */
  readonly requested: number;
  /** Whether runs are left. */
  readonly more: boolean;
}

/** As many ids as fit into a notification. */
const CANCEL_BATCH = 200;

/** What became of a message: `taken` when another one came for that node before, or it waits no more. */
export type SignalResult = 'accepted' | 'taken' | 'not_live';

/** What became of a decision: `not_waiting` when the node waits for none, or is not there. */
export type DecisionResult = SignalResult | 'not_waiting';

/** The engine's door: starts runs, cancels them and gives them messages, in whichever cell the workspace lives. */
@Injectable()
export class Engine {
  readonly #starters = new Map<string, RunStarter>();
  readonly #listeners: ((cellId: string) => void)[] = [];

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly logger: Logger,
    private readonly admission: RunAdmission,
    private readonly gates: Gates,
  ) {
    gates.onAdmitted((cellId) => this.#tellQueued(cellId));
  }

  /** Calls back when this process has put runs into a cell's queue: a hint that saves time. */
  onQueued(listener: (cellId: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Accepts a run durably; see `RunStarter`. */
  async start(request: StartRequest): Promise<StartResult> {
    const cellId = await this.db.cellOf(request.workspaceId);
    return this.#starter(cellId).start(request);
  }

  /** Starts runs together with rows of the caller's, in one transaction over their cell; see `RunStarter`. */
  startWith<T>(
    cellId: string,
    workspaceIds: readonly string[],
    work: (tx: Tx, start: StartIn) => Promise<T>,
  ): Promise<T> {
    return this.#starter(cellId).startWith(workspaceIds, work);
  }

  /**
   * Cancels a run: at once when no worker holds it, else by asking the worker, which aborts what runs. A run that is
   * finished, or that is not of this workspace, is not live.
   */
  async cancel(workspaceId: string, runId: string): Promise<CancelResult> {
    const cellId = await this.db.cellOf(workspaceId);
    return this.db.cell(cellId, async (tx) => {
      const [live] = await tx.query(lockLiveRun, runId, workspaceId);
      if (!live) return 'not_live';
      if (live.state === 'owned') {
        await tx.query(requestCancel, runId, this.clock.pinned());
        await tx.query(notify, channels.work(cellId), runId);
        return 'requested';
      }
      await this.#cancelHeldByNobody(tx, cellId, [runId]);
      await this.#tellChildren(cellId, await tx.query(cancelChildren, this.clock.pinned(), [runId]), tx);
      tx.afterCommit(() => this.#freed(cellId, workspaceId, [live]));
      return 'canceled';
    });
  }

  /**
   * Cancels live runs of a workflow that are in these states, a batch of them: those that nobody holds end at once,
   * workers are asked to stop the others. Safe to repeat, and with any number of workers at the queue.
   */
  async cancelSome(
    workspaceId: string,
    workflowId: string,
    states: readonly QueueState[],
  ): Promise<CanceledSome> {
    const cellId = await this.db.cellOf(workspaceId);
    const pinned = this.clock.pinned();
    const ended = await this.db.cell(cellId, async (tx) => {
      const held = await tx.query(lockHeldByNobody, workspaceId, workflowId, states, CANCEL_BATCH);
      const runIds = held.map(({ runId }) => runId);
      if (runIds.length > 0) await this.#cancelHeldByNobody(tx, cellId, runIds);
      tx.afterCommit(() => this.#freed(cellId, workspaceId, held));
      return runIds;
    });
    // Not in that transaction: it would wait for rows of children while it holds those of others. Should this process
    // die in between, the sweep for orphans stops them.
    if (ended.length > 0) {
      await this.#tellChildren(cellId, await this.db.execute(cellId, cancelChildren, pinned, ended));
    }
    const asked = states.includes('owned')
      ? await this.db.execute(cellId, requestCancelOfWorkflow, workspaceId, workflowId, CANCEL_BATCH, pinned)
      : [];
    // A worker that looks at one of its runs looks at all.
    for (const runId of new Map(asked.map((run) => [run.worker, run.runId])).values()) {
      await this.db.execute(cellId, notify, channels.work(cellId), runId);
    }
    const [left] = await this.db.execute(cellId, anyToCancel, workspaceId, workflowId, states);
    return { canceled: ended.length, requested: asked.length, more: left?.more ?? false };
  }

  /** Gives a run a message for one of its nodes: at once, or as soon as the node waits for it. The first one counts. */
  async signal(workspaceId: string, signal: Signal): Promise<SignalResult> {
    const cellId = await this.db.cellOf(workspaceId);
    return this.db.cell(cellId, (tx) => this.signalIn(tx, { cellId, workspaceId }, signal));
  }

  /** The same in a transaction of the caller's over the workspace's cell. */
  async signalIn(
    tx: Tx,
    { cellId, workspaceId }: { readonly cellId: string; readonly workspaceId: string },
    { runId, nodeId, iteration, message }: Signal,
  ): Promise<SignalResult> {
    const [live] = await tx.query(lockLiveRun, runId, workspaceId);
    if (!live) return 'not_live';
    const text = JSON.stringify(message);
    const [kept] = await tx.query(insertSignal, runId, nodeId, iteration, workspaceId, text);
    if (!kept) return 'taken';
    const [settled] = await tx.query(isSettled, runId, nodeId, iteration);
    if (settled) {
      await tx.query(withdrawSignal, runId, nodeId, iteration);
      return 'taken';
    }
    await this.#tellSignaled(tx, { cellId, workspaceId, runId }, live);
    return 'accepted';
  }

  /**
   * Tells a node that waits for it what a person has decided. The first decision counts; one about an attempt (unless
   * null) counts for that attempt alone.
   */
  async decide(workspaceId: string, signal: Signal, attempt: number | null): Promise<DecisionResult> {
    const cellId = await this.db.cellOf(workspaceId);
    return this.db.cell(cellId, async (tx) => {
      const { runId, nodeId, iteration, message } = signal;
      const [live] = await tx.query(lockLiveRun, runId, workspaceId);
      if (!live) return 'not_live';
      const text = JSON.stringify(message);
      const [kept] = await tx.query(insertSignal, runId, nodeId, iteration, workspaceId, text);
      const [waiting] = await tx.query(waitsForDecision, runId, nodeId, iteration);
      if (!kept) return waiting ? 'taken' : 'not_waiting';
      if (!waiting || (attempt !== null && waiting.attempt !== attempt)) {
        await tx.query(withdrawSignal, runId, nodeId, iteration);
        return 'not_waiting';
      }
      await this.#tellSignaled(tx, { cellId, workspaceId, runId }, live);
      return 'accepted';
    });
  }

  async #tellSignaled(
    tx: Tx,
    {
      cellId,
      workspaceId,
      runId,
    }: { readonly cellId: string; readonly workspaceId: string; readonly runId: string },
    live: LiveRun,
  ): Promise<void> {
    await tx.query(signalRun, runId);
    if (live.limited) tx.afterCommit(() => this.gates.of(cellId).arrived(workspaceId, null));
    // Whoever holds the run looks at its messages; if nobody does, whoever claims it will.
    await tx.query(notify, channels.work(cellId), live.state === 'owned' ? runId : '');
  }

  /** Places of runs that were ended outside of a worker are for the next. Called after the commit. */
  #freed(cellId: string, workspaceId: string, runs: readonly HeldPlace[]): void {
    const keys = runs.flatMap(({ limited, keyHash }) => (limited || keyHash !== null ? [keyHash] : []));
    for (const keyHash of new Set(keys)) this.gates.of(cellId).freed(workspaceId, keyHash);
  }

  async #cancelHeldByNobody(tx: Tx, cellId: string, runIds: readonly string[]): Promise<void> {
    const error = { code: 'run.canceled', message: 'The run was canceled.' };
    const event = { type: 'run.canceled', at: this.clock.now().toISOString(), error };
    const pinned = this.clock.pinned();
    await tx.query(cancelHeldByNobody, runIds, pinned, JSON.stringify(error), JSON.stringify(event));
    await tx.query(notify, channels.progress(cellId), runIds.join(','));
  }

  /** Wakes whoever ends runs that were called by runs which are over. */
  async #tellChildren(cellId: string, called: readonly StoppedRun[], tx: Tx | null = null): Promise<void> {
    const tell = (payload: string) =>
      tx
        ? tx.query(notify, channels.work(cellId), payload)
        : this.db.execute(cellId, notify, channels.work(cellId), payload);
    if (called.length > 0) await tell('');
    for (const { runId, worker } of called) if (worker !== null) await tell(runId);
  }

  #starter(cellId: string): RunStarter {
    const known = this.#starters.get(cellId);
    if (known) return known;
    const { db, ids, clock, admission, gates } = this;
    const starter = new RunStarter(
      {
        db,
        ids,
        clock,
        admission,
        logger: this.logger.scoped('engine', { cell: cellId }),
        limits: gates.limitsOf(cellId),
        gatekeeper: gates.of(cellId),
        started: () => this.#tellQueued(cellId),
      },
      cellId,
    );
    this.#starters.set(cellId, starter);
    return starter;
  }

  #tellQueued(cellId: string): void {
    for (const listener of this.#listeners) listener(cellId);
  }
}
