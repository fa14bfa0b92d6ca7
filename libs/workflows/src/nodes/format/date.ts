import { z } from 'zod';
import type { JsonValue } from '../../definition/json';
import { described } from '../param-schemas';
import { dayOfYear, isoWeek, nextStart, plusMonths, startOf, weekdayOf, wholeBetween } from './calendar';
import { checkedWall, datePattern, readDate, showDate } from './date-pattern';
import { locale } from './locale';
import { FormatFault, operation, textIn } from './operation';
import { DAY_MS, inRange, isoOf, TimeZone, wallOf, zone } from './time-zone';

const isoInstant = z.iso.datetime({ offset: true });
const count = z.int().min(-10_000_000_000).max(10_000_000_000).default(0);
const startUnit = z.enum(['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute']);
const weekStartsOn = z.enum(['monday', 'sunday']).default('monday');
const style = z.enum(['short', 'medium', 'long', 'full']).optional();
const exactUnits = { hours: 3_600_000, minutes: 60_000, seconds: 1_000, milliseconds: 1 } as const;
const fields = [
  'year',
  'quarter',
  'month',
  'week',
  'day',
  'hour',
  'minute',
  'second',
  'millisecond',
  'weekday',
  'dayOfYear',
  'unix',
] as const;

/** Operations on instants. They take and give ISO 8601 in UTC; only `date.parse` reads and `date.format` writes other forms. */
export const dateOperations = [
  operation(
    'date.parse',
    { format: z.union([z.enum(['iso', 'unix', 'unixMs']), datePattern]).default('iso'), zone, locale },
    (input, settings) => isoOf(parse(input, settings)),
  ),
  operation(
    'date.format',
    { pattern: datePattern.optional(), dateStyle: style, timeStyle: style, zone, locale },
    (input, settings) => {
      const ms = instantIn(input);
      if (settings.pattern !== undefined) {
        const offsetMs = new TimeZone(settings.zone).offsetMs(ms);
        return showDate({ wall: ms + offsetMs, offsetMs, locale: settings.locale }, settings.pattern);
      }
      const { dateStyle, timeStyle } = settings;
      const isPlain = dateStyle === undefined && timeStyle === undefined;
      return new Intl.DateTimeFormat(settings.locale, {
        timeZone: settings.zone,
        ...(isPlain ? { dateStyle: 'medium', timeStyle: 'short' } : { dateStyle, timeStyle }),
      }).format(ms);
    },
  ),
  operation(
    'date.add',
    {
      years: count,
      months: count,
      weeks: count,
      days: count,
      hours: count,
      minutes: count,
      seconds: count,
      zone,
    },
    (input, { years, months, weeks, days, hours, minutes, seconds, zone: name }) => {
      const ms = instantIn(input);
      const exact = ((hours * 60 + minutes) * 60 + seconds) * 1000;
      if (years === 0 && months === 0 && weeks === 0 && days === 0) return isoOf(ms + exact);
      const place = new TimeZone(name);
      const wall = plusMonths(place.wallAt(ms), years * 12 + months) + (weeks * 7 + days) * DAY_MS;
      // Days go by the calendar and hours by the clock: tomorrow at nine is at nine, whatever night lies between.
      return isoOf(place.instantAt(inRange(wall)) + exact);
    },
  ),
  operation(
    'date.difference',
    {
      since: z.string().max(40),
      unit: z.enum(['years', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds', 'milliseconds']),
      zone,
    },
    (input, { since, unit, zone: name }) => {
      const [from, to] = [instantIn(since), instantIn(input)];
      switch (unit) {
        case 'hours':
        case 'minutes':
        case 'seconds':
        case 'milliseconds':
          return (to - from) / exactUnits[unit];
        default: {
          const place = new TimeZone(name);
          return wholeBetween(place.wallAt(from), place.wallAt(to), unit);
        }
      }
    },
  ),
  operation('date.startOf', { unit: startUnit, weekStartsOn, zone }, (input, settings) =>
    isoOf(boundsOf(instantIn(input), settings).start),
  ),
  operation('date.endOf', { unit: startUnit, weekStartsOn, zone }, (input, settings) =>
    isoOf(boundsOf(instantIn(input), settings).next - 1),
  ),
  operation('date.extract', { field: z.enum(fields), zone }, (input, settings) => {
    const ms = instantIn(input);
    return extracted(ms, new TimeZone(settings.zone).wallAt(ms), settings.field);
  }),
];

/** An instant needs an offset: a date without one is another instant in each zone. */
function instantIn(input: JsonValue): number {
  const text = textIn(input);
  if (text.length <= 40 && isoInstant.safeParse(text).success) return inRange(Date.parse(text));
  throw new FormatFault(
    'value',
    `needs an instant in ISO 8601 with an offset, got ${described(input)}; read other forms with date.parse first`,
  );
}

function parse(
  input: JsonValue,
  settings: { readonly format: string; readonly zone: string; readonly locale: string },
): number {
  const { format } = settings;
  if (format === 'unix' || format === 'unixMs')
    return inRange(unixMs(input) * (format === 'unix' ? 1000 : 1));
  const text = textIn(input).trim();
  const { wall, offsetMs } =
    format === 'iso' ? readIso(text) : readDate(text.slice(0, 1_000), format, settings.locale);
  return inRange(offsetMs === null ? new TimeZone(settings.zone).instantAt(wall) : wall - offsetMs);
}

function unixMs(input: JsonValue): number {
  const value = typeof input === 'string' && /^-?\d{1,17}(\.\d{1,9})?$/.test(input) ? Number(input) : input;
  if (typeof value === 'number') return value;
  throw new FormatFault('value', `needs a number of seconds or milliseconds, got ${described(input)}`);
}

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?)?$/i;

function readIso(text: string): { readonly wall: number; readonly offsetMs: number | null } {
  const found = text.length > 40 ? null : ISO.exec(text);
  if (!found) {
    throw new FormatFault(
      'value',
      `needs a date in ISO 8601, got ${described(text)}; say its format if it has another`,
    );
  }
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0));
  const millisecond = Number((found[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const parts = { year, month, day, hour, minute, second, millisecond };
  const known = Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
  return { wall: checkedWall(known, text), offsetMs: offsetOf(found[8]) };
}

function offsetOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(text) ?? [];
  return sign === undefined ? 0 : Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

function boundsOf(
  ms: number,
  settings: {
    readonly unit: z.infer<typeof startUnit>;
    readonly weekStartsOn: 'monday' | 'sunday';
    readonly zone: string;
  },
): { readonly start: number; readonly next: number } {
  const { unit } = settings;
  const place = new TimeZone(settings.zone);
  const wall = place.wallAt(ms);
  const start = startOf(wall, unit, settings.weekStartsOn === 'sunday' ? 7 : 1);
  if (unit === 'hour' || unit === 'minute') {
    // Within an hour the clock is not changed; of an hour that comes twice this one is meant.
    const from = ms - (wall - start);
    return { start: from, next: from + exactUnits[`${unit}s`] };
  }
  return { start: place.instantAt(start), next: place.instantAt(nextStart(start, unit)) };
}

function extracted(ms: number, wall: number, field: (typeof fields)[number]): number {
  const parts = wallOf(wall);
  switch (field) {
    case 'quarter':
      return Math.ceil(parts.month / 3);
    case 'week':
      return isoWeek(wall);
    case 'weekday':
      return weekdayOf(wall);
    case 'dayOfYear':
      return dayOfYear(wall);
    case 'unix':
      return Math.floor(ms / 1000);
    default:
      return parts[field];
  }
}
