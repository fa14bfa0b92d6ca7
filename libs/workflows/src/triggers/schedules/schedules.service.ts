import { Injectable } from '@nestjs/common';
import {
  AppError,
  Clock,
  Db,
  type IdempotencyKey,
  type Page,
  pageOf,
  type Principal,
  principalKey,
  sha256,
  type Tx,
} from '#platform';
import type { Caller } from '../../catalog/workflows.service';
import { Engine } from '../../engine/engine';
import type { StartIdempotency } from '../../engine/run-starter';
import { scheduleErrors } from '../../errors';
import { WorkflowAudit } from '../../ports';
import { accepted, type AcceptedRun, Runs } from '../../runs/runs.service';
import { nextFire, ScheduleBook } from './schedule-book';
import { scheduleEvent } from './schedule-event';
import {
  findSchedule,
  listFires,
  listSchedules,
  lockSchedule,
  pauseSchedule,
  recordManualFire,
  resumeSchedule,
  type ScheduleRow,
  setLastRun,
} from './schedule-views.sql';
import {
  type Fire,
  type SchedulesQuery,
  type ScheduleSummary,
  type ScheduleView,
  toFire,
  toSummary,
} from './schedules.dto';

const UPCOMING = 5;

/** One schedule of a workspace. */
interface ScheduleAddress {
  readonly workspaceId: string;
  readonly id: string;
}

/** Schedules as people see and steer them. What fires them by the clock is the `Scheduler` alone. */
@Injectable()
export class Schedules {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly engine: Engine,
    private readonly runs: Runs,
    private readonly book: ScheduleBook,
    private readonly audit: WorkflowAudit,
  ) {}

  async list(
    workspaceId: string,
    { workflowId, state, limit }: SchedulesQuery,
    afterId: string | null,
  ): Promise<Page<ScheduleSummary>> {
    const now = this.clock.pinned();
    const rows = await this.db.tenant(workspaceId, (tx) =>
      tx.query(listSchedules, now, workspaceId, workflowId ?? null, state ?? null, afterId, limit + 1),
    );
    const page = pageOf(rows, limit, ({ id }) => ({ id }));
    return { ...page, data: page.data.map(toSummary) };
  }

  /** One schedule. Throws schedule.not_found. */
  async get(workspaceId: string, id: string): Promise<ScheduleView> {
    return this.db.tenant(workspaceId, (tx) => this.#view(tx, { workspaceId, id }));
  }

  /** What became of its occurrences. Throws schedule.not_found. */
  async fires(
    { workspaceId, id }: ScheduleAddress,
    { before, limit }: { readonly before: string | null; readonly limit: number },
  ): Promise<Page<Fire>> {
    const rows = await this.db.tenant(workspaceId, async (tx) => {
      existing(await tx.query(findSchedule, this.clock.pinned(), workspaceId, id));
      return tx.query(listFires, workspaceId, id, before, limit + 1);
    });
    const page = pageOf(rows, limit, ({ dueAtText }) => ({ dueAt: dueAtText }));
    return { ...page, data: page.data.map(toFire) };
  }

  /** Pauses a schedule; pausing it again changes until when. Throws schedule.not_found, schedule.retired. */
  pause(caller: Caller, id: string, until: string | null): Promise<ScheduleView> {
    return this.#steer(caller, id, async (tx, row) => {
      const untilAt = until === null ? null : new Date(until);
      if (untilAt !== null && untilAt <= row.now) throw pastPause(row.now);
      const next =
        untilAt === null ? null : nextFire(this.book.open(id, row.params), untilAt.getTime() - 1, row.fires);
      const by = principalKey(caller.principal);
      const [dueAt, fireAt] = [next?.dueAt ?? null, next?.fireAt ?? null];
      await tx.query(pauseSchedule, id, by, untilAt, dueAt, fireAt, this.clock.pinned());
      return { action: 'schedule.paused', after: { nodeId: row.nodeId, until } };
    });
  }

  /** Lets a schedule go on; one that is not paused stays as it is. Throws schedule.not_found, schedule.retired. */
  resume(caller: Caller, id: string): Promise<ScheduleView> {
    return this.#steer(caller, id, async (tx, row) => {
      if (row.state !== 'paused') return null;
      const next = nextFire(this.book.open(id, row.params), row.now.getTime(), row.fires);
      await tx.query(resumeSchedule, id, next?.dueAt ?? null, next?.fireAt ?? null, this.clock.pinned());
      return { action: 'schedule.resumed', after: { nodeId: row.nodeId } };
    });
  }

  /** Starts a run at once. Throws schedule.not_found, schedule.retired, and what keeps a run from starting. */
  async fire(
    { workspaceId, id, principal }: ScheduleAddress & { readonly principal: Principal },
    key: IdempotencyKey | null,
  ): Promise<AcceptedRun> {
    const found = await this.db.tenant(workspaceId, (tx) =>
      tx.query(findSchedule, this.clock.pinned(), workspaceId, id),
    );
    const { workflowId, nodeId, params } = live(existing(found));
    const version = await this.runs.runnable(workspaceId, workflowId);
    const open = this.book.open(id, params);
    const cellId = await this.db.cellOf(workspaceId);
    const pinned = this.clock.pinned();
    return this.engine.startWith(cellId, [workspaceId], async (tx, start) => {
      const row = live(existing(await tx.query(lockSchedule, pinned, workspaceId, id)));
      const request = await this.runs.requestOf(version, {
        workspaceId,
        workflowId,
        triggerType: 'trigger.schedule',
        triggerNode: nodeId,
        startedBy: principalKey(principal),
        input: scheduleEvent(open, {
          scheduleId: id,
          dueMs: row.now.getTime(),
          late: false,
          lastDueAt: row.lastDueAt,
          manual: true,
        }),
        key: key && { key: key.key, lasting: false },
        priority: null,
      });
      const [result] = await start([{ ...request, idempotency: askedAgain(request.idempotency, id) }]);
      if (result === undefined) throw new Error('A start by hand was not decided.');
      const run = accepted(result);
      if (!run.replayed) {
        await tx.query(recordManualFire, id, workspaceId, run.id, pinned);
        await tx.query(setLastRun, id, run.id);
      }
      return run;
    });
  }

  /** Changes a live schedule while nobody fires it, and tells the audit log. */
  #steer(
    { access: { workspaceId }, principal, client }: Caller,
    id: string,
    change: (
      tx: Tx,
      row: ScheduleRow,
    ) => Promise<{
      readonly action: `schedule.${string}`;
      readonly after: Readonly<Record<string, unknown>>;
    } | null>,
  ): Promise<ScheduleView> {
    return this.db.tenant(workspaceId, async (tx) => {
      const row = live(existing(await tx.query(lockSchedule, this.clock.pinned(), workspaceId, id)));
      const changed = await change(tx, row);
      if (changed !== null) {
        const { action, after } = changed;
        const entry = { workspaceId, actor: principal, client, action, targetId: row.workflowId };
        await this.audit.record(tx, { ...entry, after: { scheduleId: id, ...after } });
      }
      return this.#view(tx, { workspaceId, id });
    });
  }

  async #view(tx: Tx, { workspaceId, id }: ScheduleAddress): Promise<ScheduleView> {
    const row = existing(await tx.query(findSchedule, this.clock.pinned(), workspaceId, id));
    return { ...toSummary(row), upcoming: this.#upcoming(row) };
  }

  #upcoming({ id, params, dueAt }: ScheduleRow): string[] {
    const { timetable } = this.book.open(id, params);
    const upcoming: string[] = [];
    for (
      let next = dueAt?.getTime() ?? null;
      next !== null && upcoming.length < UPCOMING;
      next = timetable.next(next)
    ) {
      upcoming.push(new Date(next).toISOString());
    }
    return upcoming;
  }
}

/** The event says when it was fired: asked again with the same key, the same is asked for all the same. */
function askedAgain(key: StartIdempotency | null, scheduleId: string): StartIdempotency | null {
  return key && { ...key, requestHashHex: sha256(`fire ${scheduleId}`).toString('hex') };
}

function existing([row]: readonly ScheduleRow[]): ScheduleRow {
  if (row) return row;
  throw new AppError(scheduleErrors.not_found, { detail: 'There is no such schedule.' });
}

function live(row: ScheduleRow): ScheduleRow {
  if (row.state !== 'retired') return row;
  throw new AppError(scheduleErrors.retired, {
    detail: 'No published version has this schedule any more. Publish one that has its node again.',
  });
}

function pastPause(now: Date): AppError {
  const message = `The pause must end after now (${now.toISOString()}).`;
  return new AppError(scheduleErrors.invalid_pause, {
    detail: message,
    problems: [{ pointer: '/until', code: 'past', message }],
  });
}
