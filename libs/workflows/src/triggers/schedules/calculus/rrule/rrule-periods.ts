import { civilOf, dayNumber, yearStart } from '../civil';
import { weekStartOf } from './rrule-days';
import type { RruleParts } from './rrule-parts';

/** Years, months, weeks or days, numbered one after the other. */
interface Periods {
  indexOf(day: number): number;
  firstDayOf(index: number): number;
}

/** The periods of a rule of days: one in so many of them counts. */
export class RrulePeriods {
  readonly #periods: Periods;
  readonly #first: number;
  readonly #interval: number;

  constructor(parts: RruleParts, firstDay: number) {
    this.#periods = periodsOf(parts, firstDay);
    this.#first = this.#periods.indexOf(firstDay);
    this.#interval = parts.interval;
  }

  /** The same day when its period counts, otherwise the first day of the next one that does. */
  pass(day: number): number {
    const index = this.#periods.indexOf(day);
    const beyond = (index - this.#first) % this.#interval;
    return beyond === 0 ? day : this.#periods.firstDayOf(index + this.#interval - beyond);
  }

  /** The days of the period that this day is in: the first of them, and the first that is not. */
  around(day: number): { readonly first: number; readonly end: number } {
    const index = this.#periods.indexOf(day);
    return { first: this.#periods.firstDayOf(index), end: this.#periods.firstDayOf(index + 1) };
  }
}

function periodsOf({ frequency, weekStart }: RruleParts, firstDay: number): Periods {
  switch (frequency) {
    case 'YEARLY':
      return { indexOf: (day) => civilOf(day).year, firstDayOf: yearStart };
    case 'MONTHLY':
      return {
        indexOf: (day) => civilOf(day).year * 12 + civilOf(day).month - 1,
        firstDayOf: (index) =>
          dayNumber({ year: Math.floor(index / 12), month: (((index % 12) + 12) % 12) + 1, day: 1 }),
      };
    case 'WEEKLY': {
      const first = weekStartOf(firstDay, weekStart);
      return { indexOf: (day) => Math.floor((day - first) / 7), firstDayOf: (index) => first + 7 * index };
    }
    // Hours, minutes and seconds are counted for themselves, within any day.
    case 'DAILY':
    case 'HOURLY':
    case 'MINUTELY':
    case 'SECONDLY':
      return { indexOf: (day) => day, firstDayOf: (index) => index };
    default:
      return frequency satisfies never;
  }
}
