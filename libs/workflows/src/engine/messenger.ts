import type { Clock, Db, LoopHandle, LoopResult, Loops } from '#platform';
import { channels } from './channels';
import type { Gatekeeper } from './gatekeeper';
import { notify } from './sql/notify.sql';
import { cancelChildren, cancelOrphans, deliverSignals, purgeSignals } from './sql/signals.sql';

const SWEEP_MS = 1_000;
/** The sweep for orphans looks at every live run that was called. */
const ORPHANS_MS = 15_000;
const PURGE_MS = 60_000;
const BATCH = 500;

/** What the messenger asks of the engine around it: hints that only save time. */
export interface MessengerHints {
  /** Runs were put into the queue. */
  queued(): void;
  /** Runs in somebody's hands are to be looked at, perhaps in this one's. */
  wanted(): void;
}

/**
 * Carries messages between runs: the end of a run to the one that waits for it, and the end of a caller to the runs it
 * called. The message is a row that was committed with what it tells of; this only sees to it that somebody looks.
 */
export class Messenger {
  readonly #over = new Set<string>();
  #deliverer: LoopHandle | null = null;
  #stopper: LoopHandle | null = null;

  constructor(
    private readonly services: {
      readonly db: Db;
      readonly clock: Clock;
      readonly loops: Loops;
      readonly gatekeeper: Gatekeeper;
    },
    private readonly cellId: string,
    private readonly hints: MessengerHints,
  ) {}

  /** Adds the duties. */
  start(): readonly LoopHandle[] {
    const duty = (name: string, everyMs: number, runOnce: () => Promise<LoopResult>) =>
      this.services.loops.add({ name: `engine-${name}-${this.cellId}`, role: 'worker', everyMs, runOnce });
    this.#deliverer = duty('messages', SWEEP_MS, () => this.#deliver());
    this.#stopper = duty('orphans', ORPHANS_MS, () => this.#stopOrphans());
    return [this.#deliverer, this.#stopper, duty('messages-purger', PURGE_MS, () => this.#purge())];
  }

  /** A checkpoint has left messages. */
  deliver(): void {
    this.#deliverer?.wake();
  }

  /** A run is over that may have called others. */
  stopChildrenOf(runId: string): void {
    this.#over.add(runId);
    this.#stopper?.wake();
  }

  async #deliver(): Promise<LoopResult> {
    const told = await this.services.db.execute(this.cellId, deliverSignals, BATCH);
    for (const { state, workspaceId } of told) {
      if (state === 'gated') this.services.gatekeeper.arrived(workspaceId, null);
    }
    await this.#tell(told);
    return { rows: told.length, again: told.length === BATCH };
  }

  async #stopOrphans(): Promise<LoopResult> {
    const { db, clock } = this.services;
    const over = [...this.#over];
    const called =
      over.length === 0 ? [] : await db.execute(this.cellId, cancelChildren, clock.pinned(), over);
    for (const runId of over) this.#over.delete(runId);
    const orphans = await db.execute(this.cellId, cancelOrphans, clock.pinned(), BATCH);
    const stopped = [...called, ...orphans];
    await this.#tell(stopped);
    return { rows: stopped.length, again: orphans.length === BATCH };
  }

  async #purge(): Promise<LoopResult> {
    const { db, clock } = this.services;
    const gone = await db.execute(this.cellId, purgeSignals, clock.pinned(), BATCH);
    return { rows: gone.length, again: gone.length === BATCH };
  }

  /** One notification for all that was queued, and one for each run that another worker has in hand. */
  async #tell(runs: readonly { readonly runId: string; readonly worker: string | null }[]): Promise<void> {
    if (runs.length === 0) return;
    const { db } = this.services;
    if (runs.some(({ worker }) => worker === null)) {
      this.hints.queued();
      await db.execute(this.cellId, notify, channels.work(this.cellId), '');
    }
    this.hints.wanted();
    for (const { runId, worker } of runs) {
      if (worker !== null) await db.execute(this.cellId, notify, channels.work(this.cellId), runId);
    }
  }
}
