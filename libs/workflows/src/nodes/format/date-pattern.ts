import { z } from 'zod';
import { FormatFault } from './operation';
import { wallMs, wallOf, type WallTime } from './time-zone';
import { weekdayOf } from './calendar';

/** A wall with what else a pattern can show of an instant. */
export interface Shown {
  readonly wall: number;
  readonly offsetMs: number;
  readonly locale: string;
}

/** What was read with a pattern. Without an offset the zone decides which instant it is. */
export interface Read {
  readonly wall: number;
  readonly offsetMs: number | null;
}

type Fields = { [key in keyof WallTime | 'offsetMs' | 'hour12' | 'isAfternoon']?: number };

interface Token {
  readonly show: (shown: Shown, fields: WallTime) => string;
  /** Takes what it knows from the beginning of a text, into the fields; says how long that was, or null. */
  readonly read: (text: string, fields: Fields, locale: string) => number | null;
}

function digits(
  field: keyof Fields,
  [min, max]: readonly [number, number],
  valueOf: (wall: WallTime) => number,
): Token {
  const form = new RegExp(`^\\d{${min},${max}}`);
  return {
    show: (_, wall) => String(valueOf(wall)).padStart(min, '0'),
    read: (text, fields) => {
      const [found] = form.exec(text) ?? [];
      if (found === undefined) return null;
      fields[field] = Number(found);
      return found.length;
    },
  };
}

function named(
  field: 'month' | 'weekday',
  width: 'long' | 'short',
  indexOf: (shown: Shown, wall: WallTime) => number,
): Token {
  return {
    show: (shown, wall) => namesOf(field, width, shown.locale)[indexOf(shown, wall) - 1] ?? '',
    read: (text, fields, locale) => {
      const names = namesOf(field, width, locale);
      const lower = text.toLowerCase();
      const index = names.findIndex((name) => lower.startsWith(name.toLowerCase()));
      // A weekday follows from the date; what is written only has to be one.
      if (field === 'month') fields.month = index + 1;
      return names[index]?.length ?? null;
    },
  };
}

function namesOf(field: 'month' | 'weekday', width: 'long' | 'short', locale: string): readonly string[] {
  const format = new Intl.DateTimeFormat(locale, { [field]: width, timeZone: 'UTC', calendar: 'gregory' });
  // 2024 began with a Monday.
  return field === 'month'
    ? Array.from({ length: 12 }, (_, i) => format.format(wallMs({ year: 2024, month: i + 1 })))
    : Array.from({ length: 7 }, (_, i) => format.format(wallMs({ year: 2024, day: i + 1 })));
}

const hour12 = (wall: WallTime) => wall.hour % 12 || 12;
const monthIndex = (_: Shown, wall: WallTime) => wall.month;
const weekdayIndex = ({ wall }: Shown) => weekdayOf(wall);

const tokens: ReadonlyMap<string, Token> = new Map<string, Token>([
  ['yyyy', digits('year', [4, 4], ({ year }) => year)],
  ['MMMM', named('month', 'long', monthIndex)],
  ['MMM', named('month', 'short', monthIndex)],
  ['MM', digits('month', [2, 2], ({ month }) => month)],
  ['M', digits('month', [1, 2], ({ month }) => month)],
  ['dd', digits('day', [2, 2], ({ day }) => day)],
  ['d', digits('day', [1, 2], ({ day }) => day)],
  ['EEEE', named('weekday', 'long', weekdayIndex)],
  ['EEE', named('weekday', 'short', weekdayIndex)],
  ['HH', digits('hour', [2, 2], ({ hour }) => hour)],
  ['H', digits('hour', [1, 2], ({ hour }) => hour)],
  ['hh', digits('hour12', [2, 2], hour12)],
  ['h', digits('hour12', [1, 2], hour12)],
  ['mm', digits('minute', [2, 2], ({ minute }) => minute)],
  ['ss', digits('second', [2, 2], ({ second }) => second)],
  ['SSS', digits('millisecond', [3, 3], ({ millisecond }) => millisecond)],
  [
    'a',
    {
      show: (_, { hour }) => (hour < 12 ? 'AM' : 'PM'),
      read: (text, fields) => {
        const [found] = /^[ap]m/i.exec(text) ?? [];
        fields.isAfternoon = Number(found?.toLowerCase() === 'pm');
        return found?.length ?? null;
      },
    },
  ],
  [
    'XXX',
    {
      show: ({ offsetMs }) => offsetText(offsetMs),
      read: (text, fields) => {
        const [found, sign, hours, minutes] = /^(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))/.exec(text) ?? [];
        fields.offsetMs =
          sign === undefined ? 0 : Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000;
        return found?.length ?? null;
      },
    },
  ],
]);

function offsetText(offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  if (minutes === 0) return 'Z';
  const [hh, mm] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'));
  return `${offsetMs < 0 ? '-' : '+'}${hh}:${mm}`;
}

/** Runs of one letter, texts in single quotes, and single characters that stand for themselves. */
const PIECES = /([A-Za-z])\1*|'[^']*'|[^A-Za-z']/gu;

/** How a date is written, like `dd.MM.yyyy HH:mm`. */
export const datePattern = z
  .string()
  .min(1)
  .max(100)
  .refine((pattern) => piecesOf(pattern) !== null, {
    error: `must be made of ${[...tokens.keys()].join(', ')}, with other letters in single quotes`,
  })
  .describe('Like dd.MM.yyyy HH:mm; letters that mean nothing stand in single quotes.');

type Piece = Token | string;

function piecesOf(pattern: string): readonly Piece[] | null {
  const found = pattern.match(PIECES) ?? [];
  if (found.join('') !== pattern) return null;
  const pieces = found.map((piece) => {
    if (piece === "''") return "'";
    if (piece.startsWith("'")) return piece.slice(1, -1);
    return /^[A-Za-z]/.test(piece) ? tokens.get(piece) : piece;
  });
  return pieces.every((piece) => piece !== undefined) ? pieces : null;
}

export function showDate(shown: Shown, pattern: string): string {
  const wall = wallOf(shown.wall);
  return (piecesOf(pattern) ?? [])
    .map((piece) => (typeof piece === 'string' ? piece : piece.show(shown, wall)))
    .join('');
}

/** Throws a fault that says where the text leaves the pattern. */
export function readDate(text: string, pattern: string, locale: string): Read {
  const fields: Fields = {};
  let at = 0;
  for (const piece of piecesOf(pattern) ?? []) {
    const rest = text.slice(at);
    const length =
      typeof piece === 'string'
        ? rest.startsWith(piece)
          ? piece.length
          : null
        : piece.read(rest, fields, locale);
    if (length === null) throw unlike(text, pattern, at);
    at += length;
  }
  if (at < text.length) throw unlike(text, pattern, at);
  return { wall: checkedWall(fields, text), offsetMs: fields.offsetMs ?? null };
}

/** Refuses what no calendar has, like 31 June, rather than taking it for 1 July. */
export function checkedWall(fields: Fields, text: string): number {
  const { year, month = 1, day = 1, minute = 0, second = 0, millisecond = 0, hour12: half } = fields;
  if (year === undefined) throw new FormatFault('value', 'needs a year in its pattern');
  const isHalfRight = half === undefined || (half >= 1 && half <= 12);
  const hour = half === undefined ? (fields.hour ?? 0) : (half % 12) + 12 * (fields.isAfternoon ?? 0);
  const wall = wallMs({ year, month, day, hour, minute, second, millisecond });
  const found = wallOf(wall);
  const isThere =
    found.month === month && found.day === day && found.hour === hour && found.minute === minute;
  if (isThere && isHalfRight && found.second === second) return wall;
  throw new FormatFault('value', `needs a date that exists, got ${JSON.stringify(text.slice(0, 60))}`);
}

function unlike(text: string, pattern: string, at: number): FormatFault {
  const shown = JSON.stringify(text.slice(0, 60));
  return new FormatFault(
    'value',
    `needs a date like ${pattern}, got ${shown}, which differs at character ${at + 1}`,
  );
}
