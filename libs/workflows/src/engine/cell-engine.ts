import {
  Alarm,
  type Clock,
  type Config,
  type Db,
  type Ids,
  type Logger,
  type LoopHandle,
  type LoopResult,
  type Loops,
  type Notifications,
  type Random,
  sleep,
} from '#platform';
import type { NodeKindRegistry } from '../nodes/registry';
import { HistoryTally } from '../retention/history-tally';
import type { SecretValues } from '../secrets/secret-values.service';
import { channels } from './channels';
import { Checkpointer } from './checkpointer';
import type { Gatekeeper } from './gatekeeper';
import { HeldRuns } from './held-runs';
import { Lease } from './lease';
import type { ChildRuns } from './child-runs';
import type { ExecutionHost, RunLeft } from './claimed-work';
import { Messenger } from './messenger';
import { claimDue, type ClaimedRun, claimQueued, nextDue, type TakenRun } from './sql/claim-runs.sql';
import { loadSignals, takeAttention } from './sql/signals.sql';
import { buryWorkers, releaseUnheld, rescueRuns } from './sql/workers.sql';
import { Versions } from './versions';

/** What the engine of a cell is made of. */
export interface EngineServices {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly config: Config;
  readonly logger: Logger;
  readonly loops: Loops;
  readonly notifications: Notifications;
  readonly kinds: NodeKindRegistry;
  readonly children: ChildRuns;
  readonly callbackUrl: ExecutionHost['callbackUrl'];
  readonly gatekeeper: Gatekeeper;
  readonly secretValues: SecretValues;
  readonly random: Random;
}

/** Largest claim: bounds how long one claim's rows keep the event loop. */
const MAX_CLAIM = 500;
const SWEEP_MS = 1_000;

/**
 * The engine of one cell in one worker process. Its duties: claim what is queued, wake what is due, let through what
 * limits kept back, keep the lease, rescue what dead workers held, look at runs in hand of which somebody wants something,
 * carry messages between runs. Each sweeps; notifications and alarms only make it happen sooner.
 */
export class CellEngine {
  readonly #lease: Lease;
  readonly #checkpointer: Checkpointer;
  readonly #runs: HeldRuns;
  readonly #logger: Logger;
  readonly #tally: HistoryTally;
  readonly #alarm: Alarm;
  readonly #duties: LoopHandle[] = [];
  readonly #stopListening: (() => void)[] = [];
  readonly #messenger: Messenger;
  #claimer: LoopHandle | null = null;
  #attention: LoopHandle | null = null;
  /** The last claim was as large as it could be: there is probably more. */
  #backlog = false;
  #draining = false;
  #claiming = 0;
  /** A claim failed without an answer: runs may be ours in the database that are not in hand. */
  #unsure = false;

  constructor(
    private readonly services: EngineServices,
    readonly cellId: string,
  ) {
    const { db, config, kinds } = services;
    this.#logger = services.logger.scoped('engine', { cell: cellId });
    this.#lease = new Lease({ ...services, logger: this.#logger }, cellId, config.values.workerLeaseSeconds);
    this.#tally = new HistoryTally({ db, logger: this.#logger }, cellId);
    this.#checkpointer = new Checkpointer(db, {
      cellId,
      channel: channels.progress(cellId),
      logger: this.#logger,
      onLeaseLost: (workerId) => this.#leaseLost(workerId),
      onRecorded: (segment) => this.#tally.recorded(segment),
    });
    this.#runs = new HeldRuns({
      db,
      cellId,
      lease: this.#lease,
      versions: new Versions(db, cellId, kinds),
      checkpointer: this.#checkpointer,
      logger: this.#logger,
      children: services.children,
      callbackUrl: services.callbackUrl,
      secretValues: services.secretValues,
      random: services.random,
      left: (run, how) => this.#left(run, how),
    });
    this.#messenger = new Messenger(services, cellId, {
      queued: () => this.#claimer?.wake(),
      wanted: () => this.#attention?.wake(),
    });
    this.#alarm = new Alarm(() => this.#duties.find(({ name }) => name.startsWith('engine-waker'))?.wake());
  }

  /** How many runs are in hand. */
  get held(): number {
    return this.#runs.size;
  }

  /** Adds the duties; the loops begin when the application has booted. */
  start(): void {
    const { loops, config } = this.services;
    const leaseMs = config.values.workerLeaseSeconds * 1000;
    const duty = (name: string, everyMs: number, runOnce: () => Promise<LoopResult>) => {
      const handle = loops.add({ name: `engine-${name}-${this.cellId}`, role: 'worker', everyMs, runOnce });
      this.#duties.push(handle);
      return handle;
    };
    duty('lease', leaseMs / 4, () => this.#keepLease());
    this.#claimer = duty('claimer', SWEEP_MS, () => this.#claim());
    duty('waker', SWEEP_MS, () => this.#wakeDue());
    duty('gatekeeper', SWEEP_MS, () => this.services.gatekeeper.sweep());
    duty('rescuer', leaseMs / 2, () => this.#rescue());
    this.#attention = duty('attention', SWEEP_MS, () => this.#attend());
    this.#duties.push(...this.#messenger.start());
    this.#listen();
  }

  /** Takes nothing more, lets what is in hand finish for a while, gives back the rest. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    for (const stop of this.#stopListening) stop();
    this.#alarm.clear();
    const patience = new AbortController();
    await Promise.race([this.#runs.empty(), sleep(graceMs, patience.signal)]);
    patience.abort();
    // A round under way may still take the lease or claim runs: it ends first, so that what it took is given back.
    await Promise.all(this.#duties.map((duty) => duty.stop()));
    this.#runs.abandonAll();
    await this.#checkpointer.idle();
    await this.services.gatekeeper.idle();
    await this.#tally.flush();
    await this.#lease.release();
  }

  /** New work was committed by this very process. */
  wake(): void {
    this.#claimer?.wake();
  }

  #listen(): void {
    const { notifications } = this.services;
    this.#stopListening.push(
      notifications.listen(channels.work(this.cellId), (payload) => {
        if (payload === null || payload === '') this.#claimer?.wake();
        else if (this.#runs.has(payload)) this.#attention?.wake();
      }),
    );
  }

  async #keepLease(): Promise<LoopResult> {
    const held = this.#lease.workerId;
    if (held !== null && !(await this.#lease.renew())) this.#leaseLost(held);
    // While draining the lease is kept for what is in hand, but never begun anew.
    if (this.#draining) return { rows: 0 };
    const workerId = this.#lease.workerId ?? (await this.#beginLease());
    await this.#reconcile(workerId);
    return { rows: 1 };
  }

  /** Looks at runs in hand of which somebody wants something: that they stop, or that they take a message. */
  async #attend(): Promise<LoopResult> {
    const { db } = this.services;
    const { workerId } = this.#lease;
    if (workerId === null || this.#runs.size === 0) return { rows: 0 };
    const wanted = await db.execute(this.cellId, takeAttention, workerId);
    for (const { runId, cancel } of wanted) if (cancel) this.#runs.cancel(runId);
    const signaled = wanted.filter((run) => run.signaled);
    const ids = signaled.map(({ runId }) => runId);
    const signals = ids.length === 0 ? [] : await db.execute(this.cellId, loadSignals, ids);
    for (const { runId, signalCount } of signaled) {
      this.#runs.signal(
        runId,
        signals.filter((signal) => signal.runId === runId),
        signalCount,
      );
    }
    return { rows: signaled.length };
  }

  async #beginLease(): Promise<string> {
    const workerId = await this.#lease.acquire();
    this.#checkpointer.workAs(workerId);
    this.#claimer?.wake();
    return workerId;
  }

  #leaseLost(workerId: string): void {
    if (this.#lease.workerId !== workerId) return;
    this.#logger.warn('the lease was lost; its runs are left to others', { workerId, runs: this.#runs.size });
    this.#lease.forget();
    this.#checkpointer.workAs(null);
    this.#runs.abandonAll();
  }

  #room(): number {
    return Math.min(MAX_CLAIM, this.services.config.values.workerConcurrency - this.#runs.size);
  }

  async #claim(): Promise<LoopResult> {
    const { db } = this.services;
    const claimed = await this.#take((workerId, room) =>
      db.execute(this.cellId, claimQueued, workerId, room),
    );
    this.#backlog = claimed.full;
    return { rows: claimed.rows, again: claimed.full && this.#room() > 0 };
  }

  async #wakeDue(): Promise<LoopResult> {
    const { db, clock } = this.services;
    const due = await this.#take((workerId, room) =>
      db.execute(this.cellId, claimDue, workerId, room, clock.pinned()),
    );
    if (due.full) return { rows: due.rows, again: this.#room() > 0 };
    const [next] = await db.execute(this.cellId, nextDue, clock.pinned());
    if (next) this.#alarm.setWithin(next.inMs);
    return { rows: due.rows };
  }

  /** Claims as many runs as there is room for, and takes them in hand. */
  async #take(
    claim: (workerId: string, room: number) => Promise<readonly TakenRun[]>,
  ): Promise<{ readonly rows: number; readonly full: boolean }> {
    const { workerId } = this.#lease;
    const room = this.#room();
    if (workerId === null || this.#draining || this.#unsure || room <= 0) return { rows: 0, full: false };
    this.#claiming += 1;
    try {
      const sentMs = this.services.clock.monotonicMs();
      const taken = await claim(workerId, room);
      // What the database has found due must be due here, too.
      if (taken[0]) this.#lease.heard(sentMs, taken[0].databaseNow);
      for (const { state, workspaceId } of taken) {
        if (state === 'gated') this.services.gatekeeper.arrived(workspaceId, null);
      }
      const claimed = taken.filter(({ state }) => state === 'owned');
      for (const run of claimed) if (isFirstClaim(run)) this.#tally.begun(run);
      await this.#runs.take(workerId, claimed);
      return { rows: taken.length, full: taken.length === room };
    } catch (error) {
      this.#unsure = true;
      throw error;
    } finally {
      this.#claiming -= 1;
    }
  }

  /** After a claim without an answer: gives back what is ours in the database but not in hand. */
  async #reconcile(workerId: string): Promise<void> {
    if (!this.#unsure || this.#claiming > 0) return;
    await this.services.db.execute(this.cellId, releaseUnheld, workerId, this.#runs.ids());
    this.#unsure = false;
    this.#claimer?.wake();
  }

  async #rescue(): Promise<LoopResult> {
    const { db, clock } = this.services;
    const buried = await db.execute(this.cellId, buryWorkers, clock.pinned());
    const rescued = await db.execute(this.cellId, rescueRuns);
    if (buried.length + rescued.length > 0) {
      this.#logger.warn('workers were lost', { workers: buried.length, runsRescued: rescued.length });
      this.#claimer?.wake();
    }
    return { rows: rescued.length };
  }

  #left(run: ClaimedRun, { parkedUntil, concerns }: RunLeft): void {
    const { gatekeeper } = this.services;
    if (run.limited || run.keyHash !== null) gatekeeper.freed(run.workspaceId, run.keyHash);
    if (concerns.children) this.#messenger.stopChildrenOf(run.runId);
    if (concerns.parent) this.#messenger.deliver();
    if (parkedUntil) this.#alarm.setWithin(parkedUntil.getTime() - this.#lease.now().getTime());
    // Claiming again only when a good part of the room is free keeps the claims large.
    const whole = Math.min(MAX_CLAIM, this.services.config.values.workerConcurrency);
    if (this.#backlog && this.#room() * 2 >= whole) this.#claimer?.wake();
  }
}

/** A run that begins in the middle is in the queue as if it had been claimed before: it has results. */
function isFirstClaim({ claims, origin }: ClaimedRun): boolean {
  return claims === (origin?.from === undefined ? 1 : 2);
}
