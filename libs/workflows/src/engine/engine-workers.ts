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
  Random,
} from '#platform';
import { NodeKindRegistry } from '../nodes/registry';
import { RunLimits } from '../ports';
import { historyDuties } from '../retention/history-duties';
import { SecretValues } from '../secrets/secret-values.service';
import { CallbackUrls } from './callback-urls';
import { CellEngine } from './cell-engine';
import { ChildRuns } from './child-runs';
import { Engine } from './engine';
import { Gates } from './gates';
import { startKeyPurger } from './start-key-purger';

/** How soon a process works on a cell that was made while it ran. */
const NEW_CELLS_MS = 5_000;

/** Time kept back from the drain for giving back runs. */
const GIVE_BACK_MS = 2_000;

/** What a process does for the runs of all cells: executes them when it is a worker, and keeps house. */
@Injectable()
export class EngineWorkers implements OnModuleInit, OnApplicationBootstrap {
  readonly #cells = new Set<string>();
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
    private readonly children: ChildRuns,
    private readonly callbacks: CallbackUrls,
    private readonly lifecycle: Lifecycle,
    private readonly engine: Engine,
    private readonly gates: Gates,
    private readonly limits: RunLimits,
    private readonly secretValues: SecretValues,
    private readonly random: Random,
  ) {}

  /** Cells are taken on at the start, and those made later within seconds. */
  async onModuleInit(): Promise<void> {
    this.engine.onQueued((cellId) => this.#engines.get(cellId)?.wake());
    await this.#takeOnCells();
    for (const role of ['worker', 'scheduler'] as const) {
      const runOnce = () => this.#takeOnCells();
      this.loops.add({ name: `engine-cells-${role}`, role, everyMs: NEW_CELLS_MS, runOnce });
    }
  }

  onApplicationBootstrap(): void {
    const graceMs = Math.max(0, this.config.values.drainSeconds * 1000 - GIVE_BACK_MS);
    this.lifecycle.onDrain('engine', drainOrder.work, () =>
      Promise.all([...[...this.#engines.values()].map((engine) => engine.drain(graceMs)), this.gates.idle()]),
    );
  }

  /** A new cell gets its housekeeping, and a worker when this process is one; loops of other roles stay idle. */
  async #takeOnCells(): Promise<LoopResult> {
    const works = this.config.values.roles.includes('worker');
    const fresh = (await this.db.cells.list()).filter(({ id }) => !this.#cells.has(id));
    for (const { id } of fresh) {
      // Two rounds may have listed the same cell.
      if (this.#cells.has(id)) continue;
      this.#cells.add(id);
      const { db, clock, logger, limits } = this;
      for (const duty of historyDuties({ db, clock, logger, limits }, id)) this.loops.add(duty);
      this.loops.add(startKeyPurger(this.db, this.clock, id));
      if (works) this.#engines.set(id, this.#cellEngine(id));
    }
    return { rows: fresh.length };
  }

  #cellEngine(cellId: string): CellEngine {
    const { db, clock, ids, config, logger, loops, notifications, kinds, children, callbacks } = this;
    const { secretValues, random } = this;
    const engine = new CellEngine(
      {
        db,
        clock,
        ids,
        config,
        logger,
        loops,
        notifications,
        kinds,
        children,
        secretValues,
        random,
        gatekeeper: this.gates.of(cellId),
        callbackUrl: ({ workspaceId, runId }, nodeId, iteration) =>
          callbacks.urlOf({ workspaceId, runId, nodeId, iteration }),
      },
      cellId,
    );
    engine.start();
    return engine;
  }
}
