import { z } from 'zod';
import { FormatFault } from './operation';

export const DAY_MS = 86_400_000;
const [EARLIEST_YEAR, LATEST_YEAR] = [1, 9_999];

/** A name of the IANA database; `UTC` is one. */
export const zone = z
  .string()
  .max(60)
  .refine(isZone, { error: 'must be the name of a time zone, like Europe/Berlin' })
  .default('UTC');

function isZone(name: string): boolean {
  try {
    // Offsets are no zones: they know nothing of summer.
    return (
      /^[A-Z]/i.test(name) && Intl.DateTimeFormat('en-US', { timeZone: name }) instanceof Intl.DateTimeFormat
    );
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** What a clock on the wall shows. Months from 1. */
export interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

/** What the clocks of UTC would count when a wall shows this: days and hours are computed with it as with a number. */
export function wallMs(wall: Partial<WallTime>): number {
  const date = new Date(0);
  // Date.UTC takes the years 0 to 99 for those of the last century.
  date.setUTCFullYear(wall.year ?? 1970, (wall.month ?? 1) - 1, wall.day ?? 1);
  date.setUTCHours(wall.hour ?? 0, wall.minute ?? 0, wall.second ?? 0, wall.millisecond ?? 0);
  return date.getTime();
}

export function wallOf(ms: number): WallTime {
  const date = new Date(ms);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
}

/** Instants and walls of one zone, in milliseconds. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat;

  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** What the wall shows at an instant. */
  wallAt(instantMs: number): number {
    return instantMs + this.offsetMs(instantMs);
  }

  offsetMs(instantMs: number): number {
    const wholeSeconds = Math.floor(instantMs / 1000) * 1000;
    const parts = new Map(this.#format.formatToParts(wholeSeconds).map(({ type, value }) => [type, value]));
    const field = (name: Intl.DateTimeFormatPartTypes) => Number(parts.get(name));
    const year = parts.get('era') === 'AD' ? field('year') : 1 - field('year');
    const [month, day, hour] = [field('month'), field('day'), field('hour')];
    return (
      wallMs({ year, month, day, hour, minute: field('minute'), second: field('second') }) - wholeSeconds
    );
  }

  /**
   * When the wall shows this. Of two such instants (clocks were set back) the earlier one; when there is none (clocks were
   * set forward) as much later as was left out, as calendars do it.
   */
  instantAt(wall: number): number {
    const [before, after] = [wall - DAY_MS, wall + DAY_MS].map((ms) => wall - this.offsetMs(ms));
    const candidates = [before ?? wall, after ?? wall].toSorted((a, b) => a - b);
    return candidates.find((ms) => this.wallAt(ms) === wall) ?? before ?? wall;
  }
}

/** The instant as ISO 8601 in UTC. */
export function isoOf(instantMs: number): string {
  return new Date(inRange(instantMs)).toISOString();
}

export function inRange(instantMs: number): number {
  const date = new Date(instantMs);
  const year = date.getUTCFullYear();
  if (!Number.isNaN(year) && year >= EARLIEST_YEAR && year <= LATEST_YEAR) return instantMs;
  throw new FormatFault('range', `works on the years ${EARLIEST_YEAR} to ${LATEST_YEAR}`);
}
