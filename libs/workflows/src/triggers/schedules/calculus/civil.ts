// Days are counted from 1 January 1970, and a wall is what the clocks of UTC would count when a clock on the wall shows
// it: days and hours are computed with numbers, without a zone and without objects.

export const DAY_MS = 86_400_000;
export const DAY_SECONDS = 86_400;

/** Nothing fires outside of these years: before them zones are unsettled, after them their rules are guesses. */
export const FIRST_YEAR = 1970;
export const LAST_YEAR = 2199;

/** No later wall and no later instant is looked at. */
export const HORIZON_MS = (yearStart(LAST_YEAR + 1) - 1) * DAY_MS;

export interface CivilDate {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
}

const monthStarts = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
const leapMonthStarts = monthStarts.map((start, month) => (month < 2 ? start : start + 1));

export function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** The number of 1 January. */
export function yearStart(year: number): number {
  const before = year - 1;
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  return 365 * (year - 1970) + leapDays - 477;
}

/** The number of a day; a day beyond its month is one of the next. */
export function dayNumber({ year, month, day }: CivilDate): number {
  return yearStart(year) + startsOf(year)(month) + day - 1;
}

export function daysInMonth(year: number, month: number): number {
  const starts = startsOf(year);
  return starts(month + 1) - starts(month);
}

export function civilOf(number: number): CivilDate {
  let year = 1970 + Math.floor(number / 365.2425);
  if (yearStart(year) > number) year -= 1;
  else if (yearStart(year + 1) <= number) year += 1;
  const dayOfYear = number - yearStart(year);
  const starts = startsOf(year);
  // No month has more than 31 days, so this is the month or the one before it.
  let month = Math.floor(dayOfYear / 32) + 1;
  if (starts(month + 1) <= dayOfYear) month += 1;
  return { year, month, day: dayOfYear - starts(month) + 1 };
}

/** 0, Sunday, to 6. */
export function weekdayOf(number: number): number {
  return (((number + 4) % 7) + 7) % 7;
}

function startsOf(year: number): (month: number) => number {
  return isLeap(year) ? leapStart : plainStart;
}

function leapStart(month: number): number {
  return leapMonthStarts[month - 1] ?? 366;
}

function plainStart(month: number): number {
  return monthStarts[month - 1] ?? 365;
}
