import { Injectable } from '@nestjs/common';
import { Clock, Db, Hints, Logger } from '#platform';
import { WorkflowResumed } from '../events';
import { RunLimits } from '../ports';
import { Gatekeeper } from './gatekeeper';
import { WorkspaceLimits } from './workspace-limits';

/** The gatekeeper of each cell in this process, and what it knows of the plans there. */
@Injectable()
export class Gates {
  readonly #limits = new Map<string, WorkspaceLimits>();
  readonly #gatekeepers = new Map<string, Gatekeeper>();
  readonly #listeners: ((cellId: string) => void)[] = [];

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly runLimits: RunLimits,
    hints: Hints,
  ) {
    hints.on(WorkflowResumed, ({ workspaceId, workflowId }) => void this.#resumed(workspaceId, workflowId));
  }

  /** Calls back when runs of a cell were let through here: a hint that saves time. */
  onAdmitted(listener: (cellId: string) => void): void {
    this.#listeners.push(listener);
  }

  of(cellId: string): Gatekeeper {
    const known = this.#gatekeepers.get(cellId);
    if (known) return known;
    const gatekeeper = new Gatekeeper(
      {
        db: this.db,
        logger: this.logger.scoped('engine', { cell: cellId }),
        limits: this.limitsOf(cellId),
        admitted: () => {
          for (const listener of this.#listeners) listener(cellId);
        },
      },
      cellId,
    );
    this.#gatekeepers.set(cellId, gatekeeper);
    return gatekeeper;
  }

  limitsOf(cellId: string): WorkspaceLimits {
    const known = this.#limits.get(cellId);
    if (known) return known;
    const { db, clock, runLimits } = this;
    const limits = new WorkspaceLimits({ db, clock, limits: runLimits }, cellId);
    this.#limits.set(cellId, limits);
    return limits;
  }

  /** Resolves once nothing that was told is left to do. */
  async idle(): Promise<void> {
    await Promise.all([...this.#gatekeepers.values()].map((gatekeeper) => gatekeeper.idle()));
  }

  /** A hint: what it does not reach, the sweep does. */
  async #resumed(workspaceId: string, workflowId: string): Promise<void> {
    const cellId = await this.db.cellOf(workspaceId).catch(() => null);
    if (cellId !== null) this.of(cellId).resumed(workspaceId, workflowId);
  }
}
