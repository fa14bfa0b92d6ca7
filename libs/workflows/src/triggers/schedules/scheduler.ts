import { type Clock, type Db, isOutage, type Logger, type Tx } from '#platform';
import type { PublishedWorkflows, StartableVersion } from '../../catalog/published-workflows.service';
import type { Engine } from '../../engine/engine';
import type { StartIn } from '../../engine/run-starter';
import { joined } from '../../engine/sql/columns';
import type { DeletedWorkspaces } from '../../ports';
import type { Runs } from '../../runs/runs.service';
import { Firing } from './firing';
import type { ScheduleBook } from './schedule-book';
import { schedulerMetrics } from './scheduler-metrics';
import {
  advanceParams,
  advanceSchedules,
  type DueSchedule,
  type FiredRun,
  listDueSchedules,
  listFiredRuns,
  listKnownFires,
  lockDueSchedules,
  putOffSchedule,
  recordFires,
  recordFiresParams,
} from './schedules.sql';

const BATCH = 500;
/** Transactions at a time: while one waits for the disk, the next is made. */
const IN_FLIGHT = 2;
/** Of one transaction: many schedules that catch up at once take several. */
const MAX_STARTS = 1_000;
/** As far back as a schedule's runs are looked at: more failures in a row than an author can ask for. */
const RECENT_RUNS = 60;
/** How soon a schedule is looked at again that cannot be fired at present. */
const PUT_OFF_SECONDS = 60;

/** What the scheduler works with. */
export interface SchedulerServices {
  readonly db: Db;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly engine: Engine;
  readonly runs: Runs;
  readonly published: PublishedWorkflows;
  readonly workspaces: DeletedWorkspaces;
  readonly book: ScheduleBook;
}

/** What a round has done. */
export interface Fired {
  /** Schedules that were moved on. */
  readonly schedules: number;
  readonly runs: number;
}

const NOTHING: Fired = { schedules: 0, runs: 0 };

/**
 * Fires the schedules of one cell. Whoever holds a schedule's row decides, in one transaction, what becomes of the
 * occurrences whose time has come: their rows, their runs, quota, and where the schedule stands afterwards. A process that
 * dies before its commit has done nothing, one that dies after it everything; another that looks at the same time passes
 * the row over.
 */
export class Scheduler {
  constructor(
    private readonly services: SchedulerServices,
    private readonly cellId: string,
  ) {}

  /** Fires a batch of what is due. Where it has moved something on there may be more. */
  async fireDue(): Promise<Fired> {
    const { db, clock } = this.services;
    const due = await db.execute(this.cellId, listDueSchedules, clock.pinned(), IN_FLIGHT * BATCH);
    return allOf(await Promise.all(batchesOf(due).map((batch) => this.#fire(batch))));
  }

  /** One bad schedule fails the transaction of all: halves are tried until it is alone, and it is put off. */
  async #fire(due: readonly DueSchedule[]): Promise<Fired> {
    try {
      return await this.#fireTogether(due);
    } catch (error) {
      if (isOutage(error)) throw error;
      const [only] = due;
      if (only !== undefined && due.length === 1) {
        this.services.logger.error('A schedule could not be fired.', { scheduleId: only.id, error });
        await this.#putOff(due);
        return NOTHING;
      }
      const middle = Math.ceil(due.length / 2);
      return allOf([await this.#fire(due.slice(0, middle)), await this.#fire(due.slice(middle))]);
    }
  }

  async #fireTogether(due: readonly DueSchedule[]): Promise<Fired> {
    const deleted = new Set(await this.services.workspaces.all());
    await this.#putOff(due.filter(({ workspaceId }) => deleted.has(workspaceId)));
    const runnable = due.filter(({ workspaceId }) => !deleted.has(workspaceId));
    if (runnable.length === 0) return NOTHING;
    const versions = await this.services.published.versionsIn(this.cellId, runnable);
    await this.#cancelRunning(runnable);
    const workspaceIds = runnable.map(({ workspaceId }) => workspaceId);
    const ids = runnable.map(({ id }) => id);
    return this.services.engine.startWith(this.cellId, workspaceIds, async (tx, start) => {
      const locked = await tx.query(lockDueSchedules, ids, this.services.clock.pinned());
      const [first] = locked;
      if (first === undefined) return NOTHING;
      const nowMs = first.now.getTime();
      return this.#fireLocked(tx, start, { firings: await this.#firings(tx, locked, versions), nowMs });
    });
  }

  /** The decision about each schedule, and about no more of them than one transaction should start. */
  async #firings(
    tx: Tx,
    locked: readonly (DueSchedule & { readonly now: Date })[],
    versions: ReadonlyMap<string, StartableVersion>,
  ): Promise<readonly Firing[]> {
    const { book } = this.services;
    const opened = locked.flatMap((schedule) => {
      // Published anew since it was looked at: the next round has the new version.
      const version = versions.get(schedule.versionId);
      if (version === undefined) return [];
      return [{ schedule, version, open: book.open(schedule.id, schedule.params) }];
    });
    const asking = opened.filter(
      ({ open: { policies } }) => policies.overlap !== 'allow' || policies.autoPauseAfter !== null,
    );
    const recent = await this.#recentRuns(
      asking.map(({ schedule }) => schedule.id),
      (ids) => tx.query(listFiredRuns, ids, RECENT_RUNS),
    );
    const firings: Firing[] = [];
    let starts = 0;
    for (const { schedule, version, open } of opened) {
      if (starts >= MAX_STARTS) break;
      const runs = recent.get(schedule.id) ?? [];
      const firing = new Firing({ schedule, open, version }, runs, schedule.now.getTime());
      starts += firing.occurrences.length;
      firings.push(firing);
    }
    return firings;
  }

  async #fireLocked(
    tx: Tx,
    start: StartIn,
    { firings, nowMs }: { readonly firings: readonly Firing[]; readonly nowMs: number },
  ): Promise<Fired> {
    const pinned = this.services.clock.pinned();
    // Hardly ever is there anything: a batch leaves it to the key of the rows, and is taken apart then.
    if (firings.length === 1) await leaveOutKnown(tx, firings);
    for (const firing of firings) await firing.ask(this.services.runs);
    const starts = firings.flatMap((firing) => firing.starts);
    if (starts.length > 0) {
      const results = await start(starts.map(({ request }) => request));
      starts.forEach((asked, index) => {
        asked.result = results[index] ?? null;
      });
    }
    const rows = firings.flatMap((firing) => firing.rows());
    if (rows.length > 0) {
      const kept = await tx.query(recordFires, ...recordFiresParams(rows, pinned));
      // One of them has fired before: the transaction must not commit its second run.
      if (kept.length !== rows.length) throw new Error('An occurrence of a schedule has fired before.');
    }
    const advances = firings.map((firing) => firing.advance());
    await tx.query(advanceSchedules, ...advanceParams(advances, pinned));
    tx.afterCommit(() => {
      for (const { outcome } of rows) schedulerMetrics.fires.inc({ outcome });
      for (const lateMs of firings.flatMap((firing) => firing.latenessMs(nowMs))) {
        schedulerMetrics.lateness.observe(lateMs / 1000);
      }
    });
    return {
      schedules: firings.length,
      runs: rows.filter(({ outcome }) => outcome === 'started').length,
    };
  }

  async #putOff(schedules: readonly DueSchedule[]): Promise<void> {
    if (schedules.length === 0) return;
    const { db, clock } = this.services;
    const ids = schedules.map(({ id }) => id);
    await db.execute(this.cellId, putOffSchedule, ids, clock.pinned(), PUT_OFF_SECONDS);
  }

  /**
   * Stops the runs that are to make way, before there is a transaction: were this process to die in between, the occurrence
   * is still due, and the next one finds nothing left to stop.
   */
  async #cancelRunning(due: readonly DueSchedule[]): Promise<void> {
    const { db, engine, book } = this.services;
    const workspaces = new Map(
      due
        .filter(({ id, params }) => book.open(id, params).policies.overlap === 'cancel_running')
        .map(({ id, workspaceId }) => [id, workspaceId]),
    );
    const recent = await this.#recentRuns([...workspaces.keys()], (ids) =>
      db.execute(this.cellId, listFiredRuns, ids, RECENT_RUNS),
    );
    for (const { scheduleId, runId, live } of [...recent.values()].flat()) {
      const workspaceId = workspaces.get(scheduleId);
      if (live && workspaceId !== undefined) await engine.cancel(workspaceId, runId);
    }
  }

  /** The last runs of each of these schedules, the newest first. */
  async #recentRuns(
    ids: readonly string[],
    list: (ids: readonly string[]) => Promise<readonly FiredRun[]>,
  ): Promise<ReadonlyMap<string, readonly FiredRun[]>> {
    const bySchedule = new Map<string, FiredRun[]>(ids.map((id) => [id, []]));
    if (ids.length > 0) {
      for (const run of await list(ids)) bySchedule.get(run.scheduleId)?.push(run);
    }
    return bySchedule;
  }
}

/**
 * As many batches as are under way at a time, about equal, each workspace in one of them: starts of one workspace wait for
 * each other, so two transactions with some of each would go one after the other.
 */
function batchesOf(due: readonly DueSchedule[]): readonly (readonly DueSchedule[])[] {
  const byWorkspace = new Map<string, DueSchedule[]>();
  for (const schedule of due) {
    const others = byWorkspace.get(schedule.workspaceId);
    if (others) others.push(schedule);
    else byWorkspace.set(schedule.workspaceId, [schedule]);
  }
  const batches = Array.from({ length: IN_FLIGHT }, (): DueSchedule[] => []);
  for (const schedules of [...byWorkspace.values()].toSorted((one, other) => other.length - one.length)) {
    const [smallest] = batches.toSorted((one, other) => one.length - other.length);
    smallest?.push(...schedules);
  }
  return batches.filter((batch) => batch.length > 0);
}

function allOf(done: readonly Fired[]): Fired {
  return {
    schedules: done.reduce((sum, { schedules }) => sum + schedules, 0),
    runs: done.reduce((sum, { runs }) => sum + runs, 0),
  };
}

async function leaveOutKnown(tx: Tx, firings: readonly Firing[]): Promise<void> {
  const all = firings.flatMap(({ schedule: { id }, occurrences }) =>
    occurrences.map(({ dueMs }) => ({ id, dueAt: new Date(dueMs).toISOString() })),
  );
  if (all.length === 0) return;
  const ids = joined(all, ({ id }) => id);
  const rows = await tx.query(
    listKnownFires,
    ids,
    joined(all, ({ dueAt }) => dueAt),
  );
  if (rows.length === 0) return;
  const known = new Set(rows.map(({ scheduleId, dueAt }) => `${scheduleId} ${dueAt.getTime()}`));
  for (const firing of firings) firing.leaveOut((dueMs) => known.has(`${firing.schedule.id} ${dueMs}`));
}
