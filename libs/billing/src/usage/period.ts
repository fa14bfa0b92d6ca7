/** A billing period: the instants from `start` on, up to and without `end`. */
export interface Period {
  readonly start: Date;
  readonly end: Date;
}

/**
 * The monthly period that an instant lies in, for a workspace anchored at another. Periods begin each month on the
 * anchor's day and time of day (UTC), on the last day of months that are shorter: anchored on 31 January they begin
 * on 28 February and on 31 March again. Each is derived from the anchor, never from the one before, so none drifts.
 * Months before the anchor have periods as well: the clock of a host may be behind the one the anchor came from.
 */
export function monthlyPeriod(anchor: Date, at: Date): Period {
  const months = monthsBetween(anchor, at);
  const first = monthsAfter(anchor, months) > at ? months - 1 : months;
  return { start: monthsAfter(anchor, first), end: monthsAfter(anchor, first + 1) };
}

function monthsBetween(from: Date, to: Date): number {
  return (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth();
}

function monthsAfter(anchor: Date, months: number): Date {
  const [year, month] = [anchor.getUTCFullYear(), anchor.getUTCMonth() + months];
  // Day 0 of a month is the last day of the month before it.
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const instant = new Date(anchor);
  instant.setUTCFullYear(year, month, Math.min(anchor.getUTCDate(), lastDay));
  return instant;
}
