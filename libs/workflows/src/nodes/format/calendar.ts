import { DAY_MS, wallMs, wallOf } from './time-zone';

// Walls are milliseconds as `wallMs` counts them: no zone, no clock changes.

export type CalendarUnit = 'years' | 'months' | 'weeks' | 'days';
export type StartUnit = 'year' | 'quarter' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second';

/** So many months later; a day that the month does not have becomes its last. */
export function plusMonths(wall: number, months: number): number {
  const from = wallOf(wall);
  const index = from.year * 12 + from.month - 1 + months;
  const [year, month] = [Math.floor(index / 12), (((index % 12) + 12) % 12) + 1];
  return wallMs({ ...from, year, month, day: Math.min(from.day, daysIn(year, month)) });
}

function daysIn(year: number, month: number): number {
  return wallOf(wallMs({ year, month: month + 1, day: 0 })).day;
}

/** How many whole units lie between two walls; negative when the second is the earlier one. */
export function wholeBetween(from: number, to: number, unit: CalendarUnit): number {
  if (to < from) return -wholeBetween(to, from, unit) + 0;
  if (unit === 'days') return Math.floor((to - from) / DAY_MS);
  if (unit === 'weeks') return Math.floor((to - from) / (7 * DAY_MS));
  const [a, b] = [wallOf(from), wallOf(to)];
  const months = (b.year - a.year) * 12 + b.month - a.month;
  const whole = plusMonths(from, months) > to ? months - 1 : months;
  return unit === 'months' ? whole : Math.floor(whole / 12);
}

/** From 1, Monday, to 7, Sunday. */
export function weekdayOf(wall: number): number {
  return new Date(wall).getUTCDay() || 7;
}

/** The beginning of the unit that the wall is in. */
export function startOf(wall: number, unit: StartUnit, firstWeekday: 1 | 7): number {
  const { year, month, day, hour, minute, second } = wallOf(wall);
  switch (unit) {
    case 'year':
      return wallMs({ year });
    case 'quarter':
      return wallMs({ year, month: month - ((month - 1) % 3) });
    case 'month':
      return wallMs({ year, month });
    case 'week':
      return wallMs({ year, month, day: day - ((weekdayOf(wall) - firstWeekday + 7) % 7) });
    case 'day':
      return wallMs({ year, month, day });
    case 'hour':
      return wallMs({ year, month, day, hour });
    case 'minute':
      return wallMs({ year, month, day, hour, minute });
    case 'second':
      return wallMs({ year, month, day, hour, minute, second });
    default:
      return unit satisfies never;
  }
}

/** The beginning of the unit after the one that begins there. */
export function nextStart(start: number, unit: 'year' | 'quarter' | 'month' | 'week' | 'day'): number {
  if (unit === 'day') return start + DAY_MS;
  if (unit === 'week') return start + 7 * DAY_MS;
  return plusMonths(start, { year: 12, quarter: 3, month: 1 }[unit]);
}

export function dayOfYear(wall: number): number {
  return Math.floor((wall - startOf(wall, 'year', 1)) / DAY_MS) + 1;
}

/** The week of ISO 8601: the first one has the year's first Thursday. */
export function isoWeek(wall: number): number {
  return Math.ceil(dayOfYear(startOf(wall, 'week', 1) + 3 * DAY_MS) / 7);
}
