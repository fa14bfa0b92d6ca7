import { Injectable } from '@nestjs/common';
import { Clock, Db, Ids, Logger, type Tx } from '#platform';
import { RunAdmission } from '../ports';
import { channels } from './channels';
import { Gates } from './gates';
import { RunStarter, type StartRequest, type StartResult } from './run-starter';
import { cancelHeldByNobody, lockLiveRun, requestCancel } from './sql/cancel-run.sql';
import { notify } from './sql/notify.sql';
import { cancelChildren, insertSignal, type Signal, signalRun } from './sql/signals.sql';

/** What asking for a cancellation brought about. */
export type CancelResult = 'canceled' | 'requested' | 'not_live';

/** What became of a message: `taken` when another one came for that node before. */
export type SignalResult = 'accepted' | 'taken' | 'not_live';

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

  /**
   * Cancels a run: at once when no worker holds it, else by asking the worker, which aborts what runs. A run that is
   * finished, or that is not of this workspace, is not live.
   */
  async cancel(workspaceId: string, runId: string): Promise<CancelResult> {
    const cellId = await this.db.cellOf(workspaceId);
    return this.db.cell(cellId, async (tx) => {
      const [live] = await tx.query(lockLiveRun, runId, workspaceId);
      if (!live) return 'not_live';
      const { limited, keyHash } = live;
      if (live.state === 'owned') {
        await tx.query(requestCancel, runId, this.clock.pinned());
        await tx.query(notify, channels.work(cellId), runId);
        return 'requested';
      }
      await this.#cancelHeldByNobody(tx, cellId, runId);
      if (limited || keyHash !== null) {
        tx.afterCommit(() => this.gates.of(cellId).freed(workspaceId, keyHash));
      }
      return 'canceled';
    });
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
    await tx.query(signalRun, runId);
    if (live.limited) tx.afterCommit(() => this.gates.of(cellId).arrived(workspaceId, null));
    // Whoever holds the run looks at its messages; if nobody does, whoever claims it will.
    await tx.query(notify, channels.work(cellId), live.state === 'owned' ? runId : '');
    return 'accepted';
  }

  async #cancelHeldByNobody(tx: Tx, cellId: string, runId: string): Promise<void> {
    const error = { code: 'run.canceled', message: 'The run was canceled.' };
    const event = { type: 'run.canceled', at: this.clock.now().toISOString(), error };
    const pinned = this.clock.pinned();
    await tx.query(cancelHeldByNobody, runId, pinned, JSON.stringify(error), JSON.stringify(event));
    const called = await tx.query(cancelChildren, pinned, [runId]);
    if (called.length > 0) await tx.query(notify, channels.work(cellId), '');
    for (const { runId: calledId, worker } of called) {
      if (worker !== null) await tx.query(notify, channels.work(cellId), calledId);
    }
    await tx.query(notify, channels.progress(cellId), runId);
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
