import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock, Db, Logger, type LoopDuty, type LoopResult, Loops, sleep } from '#platform';
import { PublishedWorkflows } from '../../catalog/published-workflows.service';
import { Engine } from '../../engine/engine';
import { DeletedWorkspaces } from '../../ports';
import { Runs } from '../../runs/runs.service';
import { ScheduleBook } from './schedule-book';
import { Scheduler } from './scheduler';
import { nextScheduleDue } from './schedules.sql';

/** How often the queue of schedules is looked at when nothing in it is due. */
const EVERY_MS = 1_000;
/** What has just become due, or is in another process's hands, is looked at again after so long. */
const SOON_MS = 20;

/**
 * Fires schedules in time: looks every second, and exactly when the next one is due. The database's clock decides what is
 * due; this process's only says how long to wait before it asks again.
 */
@Injectable()
export class SchedulerLoop implements LoopDuty, OnModuleInit {
  readonly name = 'scheduler';
  readonly role = 'scheduler';
  readonly everyMs = EVERY_MS;
  readonly #schedulers = new Map<string, Scheduler>();

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly engine: Engine,
    private readonly runs: Runs,
    private readonly published: PublishedWorkflows,
    private readonly workspaces: DeletedWorkspaces,
    private readonly book: ScheduleBook,
    private readonly loops: Loops,
  ) {}

  onModuleInit(): void {
    this.loops.add(this);
  }

  async runOnce(signal: AbortSignal): Promise<LoopResult> {
    const cells = await this.db.cells.list();
    const fired = await Promise.all(cells.map(({ id }) => this.#of(id).fireDue()));
    const rows = fired.reduce((sum, { schedules }) => sum + schedules, 0);
    if (rows > 0) return { rows, again: true };
    const inMs = Math.min(...(await Promise.all(cells.map(({ id }) => this.#nextInMs(id)))));
    if (inMs >= EVERY_MS) return { rows: 0 };
    await sleep(Math.max(SOON_MS, Math.ceil(inMs)), signal);
    return { rows: 0, again: !signal.aborted };
  }

  /** Until the next schedule of a cell is due; less than nothing when one is by now. */
  async #nextInMs(cellId: string): Promise<number> {
    const [next] = await this.db.execute(cellId, nextScheduleDue, this.clock.pinned());
    return next?.inMs ?? EVERY_MS;
  }

  #of(cellId: string): Scheduler {
    const known = this.#schedulers.get(cellId);
    if (known) return known;
    const { db, clock, engine, runs, published, workspaces, book } = this;
    const logger = this.logger.scoped('scheduler');
    const scheduler = new Scheduler({ db, clock, logger, engine, runs, published, workspaces, book }, cellId);
    this.#schedulers.set(cellId, scheduler);
    return scheduler;
  }
}
