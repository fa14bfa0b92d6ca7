import { AppError, isOutage } from '#platform';
import type { StartableVersion } from '../../catalog/published-workflows.service';
import type { StartRequest, StartResult } from '../../engine/run-starter';
import { accepted, type Runs } from '../../runs/runs.service';
import { type Decision, decide, type Occurrence, type ScheduleStanding } from './decide';
import type { OpenSchedule } from './schedule-book';
import { scheduleEvent } from './schedule-event';
import type { Advance, DueSchedule, FiredRun, FireRow } from './schedules.sql';

type Start = Extract<Occurrence, { kind: 'start' }>;

/** What an occurrence has asked for: a start that is decided with those of others, or what is wrong with it. */
type Asked = { readonly request: StartRequest; result: StartResult | null } | { readonly failure: AppError };

/** A schedule whose row a transaction holds, with what it takes to fire it. */
export interface HeldSchedule {
  readonly schedule: DueSchedule;
  readonly open: OpenSchedule;
  readonly version: StartableVersion;
}

/**
 * One schedule in the hands of a transaction, from the decision about its occurrences to the rows that keep what became
 * of them.
 */
export class Firing {
  readonly #decision: Decision;
  readonly #asked = new Map<Start, Asked>();
  #occurrences: readonly Occurrence[];

  constructor(
    private readonly held: HeldSchedule,
    recent: readonly FiredRun[],
    nowMs: number,
  ) {
    const { open, schedule } = held;
    this.#decision = decide(open.timetable, open.policies, standingOf(schedule, recent, nowMs));
    this.#occurrences = this.#decision.occurrences;
  }

  get schedule(): DueSchedule {
    return this.held.schedule;
  }

  get occurrences(): readonly Occurrence[] {
    return this.#occurrences;
  }

  /** Leaves out what has a row already: its author has changed the schedule, and brought it up a second time. */
  leaveOut(isKnown: (dueMs: number) => boolean): void {
    this.#occurrences = this.#occurrences.filter(({ dueMs }) => !isKnown(dueMs));
  }

  /** Makes the starts that its occurrences ask for. Its author's expressions may be wrong, which ends the occurrence. */
  async ask(runs: Runs): Promise<void> {
    const { id, workspaceId, workflowId, nodeId, lastDueAt } = this.schedule;
    for (const occurrence of this.#occurrences) {
      if (occurrence.kind !== 'start') continue;
      const { dueMs, late } = occurrence;
      try {
        const request = await runs.requestOf(this.held.version, {
          workspaceId,
          workflowId,
          triggerType: 'trigger.schedule',
          triggerNode: nodeId,
          startedBy: `schedule:${id}`,
          input: scheduleEvent(this.held.open, { scheduleId: id, dueMs, late, lastDueAt, manual: false }),
          key: null,
          priority: null,
        });
        this.#asked.set(occurrence, { request, result: null });
      } catch (error) {
        if (!(error instanceof AppError) || isOutage(error)) throw error;
        this.#asked.set(occurrence, { failure: error });
      }
    }
  }

  /** The starts that are to be decided, each with the place for its result. */
  get starts(): readonly { readonly request: StartRequest; result: StartResult | null }[] {
    return [...this.#asked.values()].flatMap((asked) => ('request' in asked ? [asked] : []));
  }

  /** The rows that keep what became of its occurrences. */
  rows(): readonly FireRow[] {
    return this.#occurrences.map((occurrence) => this.#row(occurrence));
  }

  /** Where the schedule stands now. */
  advance(): Advance {
    const { nextDueMs, waitingMs, pause } = this.#decision;
    const started = [...this.#asked].flatMap(([{ dueMs }, asked]) =>
      'result' in asked && asked.result?.kind === 'started' ? [{ dueMs, runId: asked.result.runId }] : [],
    );
    const last = started.at(-1);
    return {
      id: this.schedule.id,
      dueAt: instant(nextDueMs),
      fireAt: instant(nextDueMs === null ? null : this.held.open.timetable.fireMs(nextDueMs)),
      waitingDueAt: instant(waitingMs),
      lastDueAt: instant(last?.dueMs ?? null),
      lastRunId: last?.runId ?? null,
      fires: started.length,
      pauses: pause,
    };
  }

  /** How late each run was that has started, in milliseconds. */
  latenessMs(nowMs: number): readonly number[] {
    return [...this.#asked].flatMap(([{ dueMs }, asked]) =>
      'result' in asked && asked.result?.kind === 'started'
        ? [nowMs - this.held.open.timetable.fireMs(dueMs)]
        : [],
    );
  }

  #row(occurrence: Occurrence): FireRow {
    const row = {
      scheduleId: this.schedule.id,
      workspaceId: this.schedule.workspaceId,
      dueAt: new Date(occurrence.dueMs).toISOString(),
      runId: null,
      untilAt: null,
      occurrences: null,
      reason: null,
      detail: null,
    };
    switch (occurrence.kind) {
      case 'wait':
        return { ...row, outcome: 'waiting' };
      case 'skip':
        return { ...row, outcome: 'skipped', reason: occurrence.reason };
      case 'missed': {
        const untilAt = new Date(occurrence.untilMs).toISOString();
        return { ...row, outcome: 'missed', untilAt, occurrences: occurrence.occurrences };
      }
      case 'start':
        return { ...row, ...ending(this.#asked.get(occurrence)) };
      default:
        return occurrence satisfies never;
    }
  }
}

/** What came of a start: quota and limits may refuse it, and an expression of its author may be wrong. */
function ending(asked: Asked | undefined): Pick<FireRow, 'outcome' | 'runId' | 'reason' | 'detail'> {
  try {
    if (asked && 'failure' in asked) throw asked.failure;
    if (!asked?.result) throw new Error('A start of a schedule was not decided.');
    return { outcome: 'started', runId: accepted(asked.result).id, reason: null, detail: null };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const outcome = error.type.kind === 'limit' ? 'refused' : 'failed';
    return { outcome, runId: null, reason: error.type.code, detail: error.context.detail };
  }
}

function standingOf(schedule: DueSchedule, recent: readonly FiredRun[], nowMs: number): ScheduleStanding {
  return {
    nowMs,
    dueMs: schedule.dueAt?.getTime() ?? null,
    waitingMs: schedule.waitingDueAt?.getTime() ?? null,
    fires: schedule.fires,
    live: recent.some(({ live }) => live),
    failuresInARow: failuresInARow(recent),
  };
}

/** Of the runs that are over; those under way may still go well. */
function failuresInARow(recent: readonly FiredRun[]): number {
  const over = recent.filter(({ outcome, forgiven }) => outcome !== null && !forgiven);
  const success = over.findIndex(({ outcome }) => outcome !== 'failed');
  return success === -1 ? over.length : success;
}

function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
