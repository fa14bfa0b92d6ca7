import { DAY_MS, dayNumber, daysInMonth, FIRST_YEAR, LAST_YEAR } from './civil';
import { quoted, TimingFault } from './timing-fault';
import type { ZoneRules } from './zone-rules';

/** What an ISO 8601 text says: a day, what a wall shows, or an instant. */
export type Moment =
  | { readonly kind: 'day'; readonly wallMs: number }
  | { readonly kind: 'wall'; readonly wallMs: number }
  | { readonly kind: 'instant'; readonly atMs: number };

const FORM =
  /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?(?:(Z)|([+-])(\d{2}):(\d{2}))?)?$/;

/** Throws a `TimingFault` when the text is none, or is of no day there is. */
export function momentOf(text: string): Moment {
  const found = FORM.exec(text);
  if (found === null) {
    const forms = '2026-12-25, 2026-12-25T09:00 (as clocks show it in the timezone) or 2026-12-25T09:00:00Z';
    throw new TimingFault(`${quoted(text)} is no date and no instant: write ${forms}.`);
  }
  const [, years, months, days, hours, minutes, seconds, fraction, utc, sign, offsetHours, offsetMinutes] =
    found;
  const date = { year: Number(years), month: Number(months), day: Number(days) };
  checkDate(date, text);
  const midnight = dayNumber(date) * DAY_MS;
  if (hours === undefined) return { kind: 'day', wallMs: midnight };
  const [hour, minute, second] = [hours, minutes, seconds].map((part) => Number(part ?? 0));
  if ((hour ?? 0) > 23 || (minute ?? 0) > 59 || (second ?? 0) > 59) {
    throw new TimingFault(`${quoted(text)} has no such time of day: use 00:00:00 to 23:59:59.`);
  }
  const milliseconds = Number((fraction ?? '').padEnd(3, '0'));
  const time = ((hour ?? 0) * 3_600 + (minute ?? 0) * 60 + (second ?? 0)) * 1000 + milliseconds;
  if (utc !== undefined) return { kind: 'instant', atMs: midnight + time };
  if (sign === undefined) return { kind: 'wall', wallMs: midnight + time };
  const ahead = Number(`${sign}1`) * (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  return { kind: 'instant', atMs: midnight + time - ahead };
}

/** Whether a text is a date, a local time or an instant. */
export function isMoment(text: string): boolean {
  try {
    momentOf(text);
    return true;
  } catch (error) {
    if (error instanceof TimingFault) return false;
    throw error;
  }
}

function checkDate({ year, month, day }: { year: number; month: number; day: number }, text: string): void {
  if (year < FIRST_YEAR || year > LAST_YEAR) {
    throw new TimingFault(`${quoted(text)} is out of range: use the years ${FIRST_YEAR} to ${LAST_YEAR}.`);
  }
  if (month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)) return;
  throw new TimingFault(`${quoted(text)} is a day that the calendar does not have.`);
}

/** The first instant that belongs to a moment; of a wall in a gap, the end of the gap. */
export function beginningOf(moment: Moment, zone: ZoneRules): number {
  if (moment.kind === 'instant') return moment.atMs;
  return zone.instantsOf(moment.wallMs)[0] ?? afterGap(moment.wallMs, zone);
}

/** The last instant that belongs to a moment: of a day, its last millisecond. */
export function endOf(moment: Moment, zone: ZoneRules): number {
  if (moment.kind === 'instant') return moment.atMs;
  if (moment.kind === 'day') return beginningOf({ kind: 'wall', wallMs: moment.wallMs + DAY_MS }, zone) - 1;
  return zone.instantsOf(moment.wallMs).at(-1) ?? afterGap(moment.wallMs, zone);
}

/** What the wall shows at a moment. */
export function wallOf(moment: Moment, zone: ZoneRules): number {
  return moment.kind === 'instant' ? moment.atMs + zone.offsetAt(moment.atMs) : moment.wallMs;
}

function afterGap(wallMs: number, zone: ZoneRules): number {
  // No offset is larger than a day, so this is before the gap, and its stretch ends with the gap unless another does.
  let segment = zone.segmentAt(wallMs - 2 * DAY_MS);
  while (segment.endMs + segment.offsetAfterMs <= wallMs) segment = zone.segmentAt(segment.endMs);
  return segment.endMs;
}
