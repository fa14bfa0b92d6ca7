import { DAY_MS, DAY_SECONDS, HORIZON_MS } from '../civil';
import { TimeOfDay } from '../time-of-day';
import { NEVER, type WallPattern } from '../wall-pattern';
import { type DayTimes, pickedIndexes, PickedTimes } from './picked-times';
import { RruleDays } from './rrule-days';
import type { Frequency, RruleParts } from './rrule-parts';
import { RrulePeriods } from './rrule-periods';

/**
 * What one search may cost, and the search for the last of a COUNT; beyond it a rule is taken to be over. A rule of days can go
 * to the horizon day by day. A rule of hours can be written so that its times and its interval just miss each other for ever.
 */
const searchSteps = { days: 100_000, hours: 25_000, count: 2_000_000 };

/** The walls of a recurrence rule, UNTIL aside. */
export class RrulePattern implements WallPattern {
  readonly isInterval: boolean;
  readonly #parts: RruleParts;
  readonly #startWall: number;
  readonly #days: RruleDays;
  readonly #periods: RrulePeriods;
  readonly #times: TimeOfDay;
  readonly #search: (wallMs: number, steps: Steps) => number;
  #lastWall: number | null = null;
  /** A wall from which on nothing was found. */
  #overFrom = NEVER;
  #picked: { readonly firstDay: number; readonly walls: readonly number[] } | null = null;

  constructor(parts: RruleParts, startWall: number) {
    const wholeSeconds = Math.floor(startWall / 1000) * 1000;
    const firstDay = Math.floor(wholeSeconds / DAY_MS);
    this.#parts = parts;
    this.#startWall = wholeSeconds;
    this.#days = new RruleDays(parts, firstDay);
    this.#periods = new RrulePeriods(parts, firstDay);
    this.#times = timesOf(parts, wholeSeconds / 1000 - firstDay * DAY_SECONDS);
    const unitSeconds = unitSecondsOf(parts.frequency);
    this.isInterval = unitSeconds !== null;
    if (unitSeconds !== null) {
      const times = placesWithin(unitSeconds, parts, this.#times);
      this.#search = (wall, steps) => this.#withinDays(wall, steps, { unitSeconds, times });
    } else {
      this.#search = (wall, steps) =>
        parts.bySetPos === null ? this.#onDays(wall, steps) : this.#atPositions(wall, steps);
    }
  }

  next(wallMs: number): number {
    const wall = this.#firstFrom(wallMs, new Steps(this.isInterval ? searchSteps.hours : searchSteps.days));
    if (this.#parts.count === null || wall === NEVER) return wall;
    this.#lastWall ??= this.#lastOf(this.#parts.count);
    return wall <= this.#lastWall ? wall : NEVER;
  }

  #firstFrom(wallMs: number, steps: Steps): number {
    if (this.#times.size === 0 || wallMs >= this.#overFrom) return NEVER;
    const wall = this.#search(Math.ceil(Math.max(wallMs, this.#startWall) / 1000) * 1000, steps);
    if (wall === NEVER) this.#overFrom = wallMs;
    return wall;
  }

  /** The wall of this number, from 1. Later ones are not of the rule. */
  #lastOf(count: number): number {
    const steps = new Steps(searchSteps.count);
    let last = this.#startWall - 1;
    for (let number = 0; number < count; number += 1) {
      const wall = this.#firstFrom(last + 1, steps);
      if (wall === NEVER) break;
      last = wall;
    }
    return last;
  }

  /** A rule of whole days: each day that fits has the same times. */
  #onDays(wallMs: number, steps: Steps): number {
    let day = Math.floor(wallMs / DAY_MS);
    const time = this.#times.next((wallMs - day * DAY_MS) / 1000);
    if (time >= 0 && this.#nextDay(day, steps) === day) return day * DAY_MS + time * 1000;
    day = this.#nextDay(day + 1, steps);
    return day === NEVER ? NEVER : day * DAY_MS + this.#times.at(0) * 1000;
  }

  /** The first day, from this one on, that fits and is in a period that counts. */
  #nextDay(from: number, steps: Steps): number {
    let day = from;
    while (day * DAY_MS <= HORIZON_MS && steps.take()) {
      const inPeriod = this.#periods.pass(day);
      const fitting = inPeriod === day ? this.#days.pass(day) : inPeriod;
      if (fitting === day) return day;
      day = fitting;
    }
    return NEVER;
  }

  /** A rule of whole days with BYSETPOS: each period is written out, and picked from. */
  #atPositions(wallMs: number, steps: Steps): number {
    let day = this.#periods.pass(Math.floor(wallMs / DAY_MS));
    while (day * DAY_MS <= HORIZON_MS && steps.take()) {
      const { first, end } = this.#periods.around(day);
      if (this.#picked?.firstDay !== first) {
        this.#picked = { firstDay: first, walls: this.#wallsOf(first, end, steps) };
      }
      const found = this.#picked.walls.find((wall) => wall >= wallMs);
      if (found !== undefined) return found;
      day = this.#periods.pass(end);
    }
    return NEVER;
  }

  #wallsOf(first: number, end: number, steps: Steps): readonly number[] {
    const days: number[] = [];
    for (let day = first; day < end && steps.take();) {
      const passed = this.#days.pass(day);
      if (passed === day) days.push(day);
      day = passed === day ? day + 1 : passed;
    }
    const { size } = this.#times;
    return pickedIndexes(this.#parts.bySetPos ?? [], days.length * size).map(
      (index) => (days[Math.floor(index / size)] ?? 0) * DAY_MS + this.#times.at(index % size) * 1000,
    );
  }

  /**
   * A rule of hours, minutes or seconds. Three questions are asked in turn, and each answer is at least as late as the one
   * before: is it on a day that fits, at a time that fits, in a unit that counts. Nothing is written out.
   */
  #withinDays(wallMs: number, steps: Steps, { unitSeconds, times }: TimesInUnits): number {
    const firstUnit = Math.floor(this.#startWall / 1000 / unitSeconds);
    let second = wallMs / 1000;
    while (second * 1000 <= HORIZON_MS && steps.take()) {
      const day = Math.floor(second / DAY_SECONDS);
      const fitting = this.#days.pass(day);
      const time = fitting === day ? times.next(second - day * DAY_SECONDS) : -1;
      if (time < 0) {
        second = Math.max(fitting, day + 1) * DAY_SECONDS;
        continue;
      }
      const unit = Math.floor((day * DAY_SECONDS + time) / unitSeconds);
      const beyond = (unit - firstUnit) % this.#parts.interval;
      if (beyond === 0) return (day * DAY_SECONDS + time) * 1000;
      second = (unit + this.#parts.interval - beyond) * unitSeconds;
    }
    return NEVER;
  }
}

interface TimesInUnits {
  readonly unitSeconds: number;
  readonly times: DayTimes;
}

/** What a search may still cost. */
class Steps {
  constructor(private left: number) {}

  take(): boolean {
    this.left -= 1;
    return this.left >= 0;
  }
}

function unitSecondsOf(frequency: Frequency): number | null {
  if (frequency === 'HOURLY') return 3_600;
  if (frequency === 'MINUTELY') return 60;
  return frequency === 'SECONDLY' ? 1 : null;
}

/** What is below the frequency comes from the start where the rule does not say it, and all of what is not. */
function timesOf({ frequency, byHour, byMinute, bySecond }: RruleParts, startSecond: number): TimeOfDay {
  const unitSeconds = unitSecondsOf(frequency) ?? DAY_SECONDS;
  const [hour, minute] = [Math.floor(startSecond / 3_600), Math.floor(startSecond / 60) % 60];
  return new TimeOfDay(
    byHour ?? (unitSeconds > 3_600 ? [hour] : upTo(24)),
    byMinute ?? (unitSeconds > 60 ? [minute] : upTo(60)),
    // A leap second is allowed to be asked for, and is never shown.
    (bySecond ?? (unitSeconds > 1 ? [startSecond % 60] : upTo(60))).filter((second) => second < 60),
  );
}

function upTo(end: number): readonly number[] {
  return Array.from({ length: end }, (_, value) => value);
}

/** The times of a rule of hours, minutes or seconds, with BYSETPOS picking within each of them. */
function placesWithin(unitSeconds: number, { bySetPos }: RruleParts, all: TimeOfDay): DayTimes {
  if (bySetPos === null) return all;
  const { hours, minutes, seconds } = all;
  const inUnit = new TimeOfDay([0], unitSeconds > 60 ? minutes : [0], unitSeconds > 1 ? seconds : [0]);
  const places = pickedIndexes(bySetPos, inUnit.size).map((index) => inUnit.at(index));
  const units = new TimeOfDay(hours, unitSeconds > 60 ? [0] : minutes, unitSeconds > 1 ? [0] : seconds);
  return new PickedTimes(unitSeconds, units, places);
}
