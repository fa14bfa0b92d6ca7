import { type Timetable, pendingOf } from './pending';

/** What is to become of occurrences that nobody was there to fire: of none, of the last one, of all up to a cap. */
export type CatchUp = 'none' | 'last' | 'all';

/** What is to become of an occurrence while a run of the one before is not over. */
export type Overlap = 'allow' | 'skip' | 'queue_one' | 'cancel_running';

/** What the author says beside the times. */
export interface SchedulePolicies {
  readonly catchUp: CatchUp;
  /** Of `all`: how many at most; the oldest are left out. */
  readonly catchUpMax: number;
  readonly overlap: Overlap;
  /** Failures in a row after which the schedule pauses itself; null for never. */
  readonly autoPauseAfter: number | null;
  /** Runs after which it is finished; null for no such number. */
  readonly maxRuns: number | null;
}

/** How things stand when a schedule's time has come. */
export interface ScheduleStanding {
  readonly nowMs: number;
  readonly dueMs: number | null;
  readonly waitingMs: number | null;
  /** Runs that it has started so far. */
  readonly fires: number;
  /** Whether a run that it started is not over. */
  readonly live: boolean;
  readonly failuresInARow: number;
}

/** Why an occurrence starts nothing. */
export type SkipReason = 'run_not_over' | 'one_waits_already' | 'superseded' | 'schedule_paused';

/** What becomes of one occurrence, or of many that were missed together. */
export type Occurrence =
  | { readonly kind: 'start'; readonly dueMs: number; readonly late: boolean }
  | { readonly kind: 'wait'; readonly dueMs: number }
  | { readonly kind: 'skip'; readonly dueMs: number; readonly reason: SkipReason }
  | {
      readonly kind: 'missed';
      readonly dueMs: number;
      readonly untilMs: number;
      /** Null: more than anybody counted. */
      readonly occurrences: number | null;
    };

/** What becomes of a schedule whose time has come. */
export interface Decision {
  readonly occurrences: readonly Occurrence[];
  /** Null: there is none any more. Not later than now when a part is left for the next round. */
  readonly nextDueMs: number | null;
  readonly waitingMs: number | null;
  /** It has failed so often that it stops. */
  readonly pause: boolean;
}

/** An occurrence that is fired within this time of its own is not late: no policy asks what to do with it. */
const ON_TIME_MS = 60_000;
/** Of one schedule in one transaction; the rest comes in the next, so that a long catch-up does not hold up others. */
const MAX_PER_ROUND = 20;

/**
 * What becomes of a schedule whose time has come. Pure: the same again for the same standing. Every occurrence from
 * `dueMs` to before `nextDueMs` is in the answer, by itself or among missed ones.
 */
export function decide(
  timetable: Timetable,
  policies: SchedulePolicies,
  standing: ScheduleStanding,
): Decision {
  const { autoPauseAfter } = policies;
  if (autoPauseAfter !== null && standing.failuresInARow >= autoPauseAfter) return paused(standing);
  const due = dueNow(timetable, policies, standing);
  const overlaps = new Overlaps(policies, standing);
  overlaps.takeUp(standing.nowMs - ON_TIME_MS);
  due.fire.forEach((dueMs, index) =>
    overlaps.meet({ dueMs, late: isLate(timetable, dueMs, standing.nowMs) }, index === due.fire.length - 1),
  );
  const exhausted = overlaps.room === 0;
  return {
    occurrences: [...due.missed, ...overlaps.met],
    nextDueMs: exhausted ? null : due.nextMs,
    waitingMs: overlaps.waitingMs,
    pause: false,
  };
}

function paused({ waitingMs }: ScheduleStanding): Decision {
  const occurrences: readonly Occurrence[] =
    waitingMs === null ? [] : [{ kind: 'skip', dueMs: waitingMs, reason: 'schedule_paused' }];
  return { occurrences, nextDueMs: null, waitingMs: null, pause: true };
}

interface DueNow {
  readonly missed: readonly Occurrence[];
  readonly fire: readonly number[];
  readonly nextMs: number | null;
}

/** Which of the occurrences whose time has come are fired in this round, by the policy for those that are late. */
function dueNow(
  timetable: Timetable,
  policies: SchedulePolicies,
  { nowMs, dueMs }: ScheduleStanding,
): DueNow {
  if (dueMs === null || timetable.fireMs(dueMs) > nowMs) return { missed: [], fire: [], nextMs: dueMs };
  const pending = pendingOf(timetable, { firstMs: dueMs, nowMs, wanted: policies.catchUpMax });
  const wanted = wantedOf(timetable, policies, { nowMs, dueMs: pending.dueMs });
  const left = pending.dueMs.length - wanted.length;
  const untilMs = pending.dueMs[left - 1] ?? (wanted[0] ?? nowMs) - 1;
  const occurrences = pending.complete ? left : null;
  const missed: readonly Occurrence[] =
    occurrences === 0 ? [] : [{ kind: 'missed', dueMs, untilMs, occurrences }];
  const fire = wanted.slice(0, MAX_PER_ROUND);
  const afterMs = fire.at(-1) ?? pending.dueMs.at(-1) ?? nowMs;
  return { missed, fire, nextMs: wanted[MAX_PER_ROUND] ?? timetable.next(afterMs) };
}

/** The newest of what is pending, as far back as the policy goes. */
function wantedOf(
  timetable: Timetable,
  { catchUp, catchUpMax }: SchedulePolicies,
  { nowMs, dueMs }: { readonly nowMs: number; readonly dueMs: readonly number[] },
): readonly number[] {
  const onTime = dueMs.filter((each) => !isLate(timetable, each, nowMs)).length;
  switch (catchUp) {
    case 'none':
      return newest(dueMs, onTime);
    case 'last':
      return newest(dueMs, Math.max(onTime, 1));
    case 'all':
      return newest(dueMs, Math.max(onTime, catchUpMax));
    default:
      return catchUp satisfies never;
  }
}

function newest(dueMs: readonly number[], count: number): readonly number[] {
  return dueMs.slice(Math.max(0, dueMs.length - count));
}

function isLate(timetable: Timetable, dueMs: number, nowMs: number): boolean {
  return nowMs - timetable.fireMs(dueMs) > ON_TIME_MS;
}

/** What the runs before say to each occurrence, in their order. */
class Overlaps {
  readonly met: Occurrence[] = [];
  waitingMs: number | null;
  /** How many more runs there may be. */
  room: number;
  #live: boolean;
  readonly #overlap: Overlap;

  constructor({ overlap, maxRuns }: SchedulePolicies, { waitingMs, live, fires }: ScheduleStanding) {
    this.#overlap = overlap;
    this.#live = live;
    this.waitingMs = waitingMs;
    // Whoever waits has a place.
    this.room = maxRuns === null ? Infinity : Math.max(0, maxRuns - fires - (waitingMs === null ? 0 : 1));
  }

  /** The occurrence that has waited for the run before goes first. */
  takeUp(lateBeforeMs: number): void {
    const { waitingMs } = this;
    if (waitingMs === null || (this.#live && this.#overlap !== 'allow')) return;
    this.waitingMs = null;
    this.room += 1;
    this.#start({ dueMs: waitingMs, late: waitingMs < lateBeforeMs });
  }

  meet(occurrence: { readonly dueMs: number; readonly late: boolean }, isLast: boolean): void {
    if (this.room === 0) return;
    const { dueMs } = occurrence;
    switch (this.#overlap) {
      case 'allow':
        return this.#start(occurrence);
      case 'skip':
        return this.#live ? this.#skip(dueMs, 'run_not_over') : this.#start(occurrence);
      case 'queue_one':
        if (!this.#live && this.waitingMs === null) return this.#start(occurrence);
        return this.waitingMs === null ? this.#wait(dueMs) : this.#skip(dueMs, 'one_waits_already');
      case 'cancel_running':
        return isLast ? this.#start(occurrence) : this.#skip(dueMs, 'superseded');
      default:
        return this.#overlap satisfies never;
    }
  }

  #start({ dueMs, late }: { readonly dueMs: number; readonly late: boolean }): void {
    this.met.push({ kind: 'start', dueMs, late });
    this.#live = true;
    this.room -= 1;
  }

  #wait(dueMs: number): void {
    this.met.push({ kind: 'wait', dueMs });
    this.waitingMs = dueMs;
    this.room -= 1;
  }

  #skip(dueMs: number, reason: SkipReason): void {
    this.met.push({ kind: 'skip', dueMs, reason });
  }
}
