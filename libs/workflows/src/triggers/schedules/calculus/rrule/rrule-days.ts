import { type CivilDate, civilOf, dayNumber, daysInMonth, isLeap, weekdayOf, yearStart } from '../civil';
import type { RruleParts, RruleWeekday } from './rrule-parts';

/**
 * Which days a rule means, whatever its interval. The RFC speaks of parts that expand and parts that limit; as long as a
 * period is made of whole days both come to the same: a day belongs to the rule when it passes each part that is there, and
 * what is missing in all of them is taken from the first day.
 */
export class RruleDays {
  readonly #months: readonly boolean[] | null;
  readonly #monthDays: readonly number[] | null;
  readonly #yearDays: readonly number[] | null;
  readonly #weeks: readonly number[] | null;
  readonly #weekdays: readonly RruleWeekday[] | null;
  readonly #weekStart: number;
  /** Whether an ordinal of BYDAY counts within the month; otherwise within the year. */
  readonly #countsInMonth: boolean;

  constructor(parts: RruleParts, firstDay: number) {
    const { frequency, byMonth, byMonthDay, byYearDay, byWeekNo, byDay } = parts;
    const first = civilOf(firstDay);
    const isOpen = byMonthDay === null && byYearDay === null && byDay === null;
    const isDayOfMonth = isOpen && byWeekNo === null && (frequency === 'YEARLY' || frequency === 'MONTHLY');
    const isWeekday = isOpen && (frequency === 'WEEKLY' || byWeekNo !== null);
    const months = isDayOfMonth && frequency === 'YEARLY' ? (byMonth ?? [first.month]) : byMonth;
    this.#months = months === null ? null : Array.from({ length: 13 }, (_, month) => months.includes(month));
    this.#monthDays = isDayOfMonth ? [first.day] : byMonthDay;
    this.#weekdays = isWeekday ? [{ weekday: weekdayOf(firstDay), ordinal: null }] : byDay;
    this.#yearDays = byYearDay;
    this.#weeks = byWeekNo;
    this.#weekStart = parts.weekStart;
    this.#countsInMonth = frequency === 'MONTHLY' || byMonth !== null;
  }

  /** The same day when the rule means it, otherwise a later one before which there is none. */
  pass(day: number): number {
    const date = civilOf(day);
    if (this.#months !== null && this.#months[date.month] !== true) {
      return dayNumber({ year: date.year, month: date.month, day: daysInMonth(date.year, date.month) }) + 1;
    }
    const fits =
      this.#fitsMonthDay(date) &&
      this.#fitsYearDay(day, date.year) &&
      (this.#weeks === null || this.#weeks.some((week) => this.#weekNumbers(day).includes(week))) &&
      this.#fitsWeekday(day, date);
    return fits ? day : day + 1;
  }

  #fitsMonthDay({ year, month, day }: CivilDate): boolean {
    if (this.#monthDays === null) return true;
    return this.#monthDays.includes(day) || this.#monthDays.includes(day - daysInMonth(year, month) - 1);
  }

  #fitsYearDay(day: number, year: number): boolean {
    if (this.#yearDays === null) return true;
    const dayOfYear = day - yearStart(year) + 1;
    return this.#yearDays.includes(dayOfYear) || this.#yearDays.includes(dayOfYear - yearLength(year) - 1);
  }

  #fitsWeekday(day: number, date: CivilDate): boolean {
    if (this.#weekdays === null) return true;
    const weekday = weekdayOf(day);
    return this.#weekdays.some((one) => {
      if (one.weekday !== weekday) return false;
      if (one.ordinal === null) return true;
      const length = this.#countsInMonth ? daysInMonth(date.year, date.month) : yearLength(date.year);
      const position = this.#countsInMonth ? date.day : day - yearStart(date.year) + 1;
      return one.ordinal > 0
        ? Math.ceil(position / 7) === one.ordinal
        : Math.ceil((length - position + 1) / 7) === -one.ordinal;
    });
  }

  /** The week's number, from the beginning of its year and from the end. A week is of the year that has most of it. */
  #weekNumbers(day: number): readonly [number, number] {
    // The fourth day of a week is in the year that the week belongs to.
    const fourth = weekStartOf(day, this.#weekStart) + 3;
    const { year } = civilOf(fourth);
    const number = Math.floor((fourth - yearStart(year)) / 7) + 1;
    const following = Math.floor((yearStart(year + 1) - 1 - fourth) / 7);
    return [number, -following - 1];
  }
}

export function weekStartOf(day: number, weekStart: number): number {
  return day - ((weekdayOf(day) - weekStart + 7) % 7);
}

function yearLength(year: number): number {
  return isLeap(year) ? 366 : 365;
}
