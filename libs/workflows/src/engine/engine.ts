import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import {
  Clock,
  Config,
  Db,
  drainOrder,
  Ids,
  Lifecycle,
  Logger,
  type LoopResult,
  Loops,
  Notifications,
  type Tx,
} from '#platform';
import { NodeKindRegistry } from '../nodes/registry';
import { RunAdmission } from '../ports';
import { CellEngine } from './cell-engine';
import { channels } from './channels';
import { partitionKeeper } from './partitions';
import { RunStarter, type StartRequest, type StartResult } from './run-starter';
import { cancelHeldByNobody, lockLiveRun, requestCancel } from './sql/cancel-run.sql';
import { notify } from './sql/notify.sql';
import { startKeyPurger } from './start-key-purger';

/** What asking for a cancellation brought about. */
export type CancelResult = 'canceled' | 'requested' | 'not_live';

/** How soon a process works on a cell that was made while it ran. */
const NEW_CELLS_MS = 5_000;

/** Time kept back from the drain for giving back runs. */
const GIVE_BACK_MS = 2_000;

/** The engine's door: starts runs and cancels them, in whichever cell the workspace lives. */
@Injectable()
export class Engine implements OnModuleInit, OnApplicationBootstrap {
  readonly #cells = new Set<string>();
  readonly #starters = new Map<string, RunStarter>();
  readonly #engines = new Map<string, CellEngine>();

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly config: Config,
    private readonly logger: Logger,
    private readonly loops: Loops,
    private readonly notifications: Notifications,
    private readonly kinds: NodeKindRegistry,
    private readonly admission: RunAdmission,
    private readonly lifecycle: Lifecycle,
  ) {}

  /** Cells are taken on at the start, and those made later within seconds. */
  async onModuleInit(): Promise<void> {
    await this.#takeOnCells();
    for (const role of ['worker', 'scheduler'] as const) {
      const runOnce = () => this.#takeOnCells();
      this.loops.add({ name: `engine-cells-${role}`, role, everyMs: NEW_CELLS_MS, runOnce });
    }
  }

  onApplicationBootstrap(): void {
    const graceMs = Math.max(0, this.config.values.drainSeconds * 1000 - GIVE_BACK_MS);
    this.lifecycle.onDrain('engine', drainOrder.work, () =>
      Promise.all([...this.#engines.values()].map((engine) => engine.drain(graceMs))),
    );
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
      if (live.state === 'owned') {
        await tx.query(requestCancel, runId, this.clock.pinned());
        await tx.query(notify, channels.work(cellId), runId);
        return 'requested';
      }
      await this.#cancelHeldByNobody(tx, cellId, runId);
      return 'canceled';
    });
  }

  async #cancelHeldByNobody(tx: Tx, cellId: string, runId: string): Promise<void> {
    const error = { code: 'run.canceled', message: 'The run was canceled.' };
    const event = { type: 'run.canceled', at: this.clock.now().toISOString(), error };
    await tx.query(
      cancelHeldByNobody,
      runId,
      this.clock.pinned(),
      JSON.stringify(error),
      JSON.stringify(event),
    );
    await tx.query(notify, channels.progress(cellId), runId);
  }

  /** A new cell gets its housekeeping, and a worker when this process is one; loops of other roles stay idle. */
  async #takeOnCells(): Promise<LoopResult> {
    const works = this.config.values.roles.includes('worker');
    const fresh = (await this.db.cells.list()).filter(({ id }) => !this.#cells.has(id));
    for (const { id } of fresh) {
      // Two rounds may have listed the same cell.
      if (this.#cells.has(id)) continue;
      this.#cells.add(id);
      this.loops.add(partitionKeeper(this.db, this.clock, id));
      this.loops.add(startKeyPurger(this.db, this.clock, id));
      if (works) this.#engines.set(id, this.#engine(id));
    }
    return { rows: fresh.length };
  }

  #starter(cellId: string): RunStarter {
    const known = this.#starters.get(cellId);
    if (known) return known;
    const { db, ids, clock, admission } = this;
    const starter = new RunStarter(
      { db, ids, clock, admission, started: () => this.#engines.get(cellId)?.wake() },
      cellId,
    );
    this.#starters.set(cellId, starter);
    return starter;
  }

  #engine(cellId: string): CellEngine {
    const { db, clock, ids, config, logger, loops, notifications, kinds } = this;
    const engine = new CellEngine({ db, clock, ids, config, logger, loops, notifications, kinds }, cellId);
    engine.start();
    return engine;
  }
}
