import { type Moment, momentOf } from '../moment';
import { quoted, TimingFault } from '../timing-fault';

export const frequencies = [
  'YEARLY',
  'MONTHLY',
  'WEEKLY',
  'DAILY',
  'HOURLY',
  'MINUTELY',
  'SECONDLY',
] as const;
export type Frequency = (typeof frequencies)[number];

/** A weekday, 0 for Sunday; with an ordinal the so manieth of a month or year, from its end when it is negative. */
export interface RruleWeekday {
  readonly weekday: number;
  readonly ordinal: number | null;
}

/** A recurrence rule of RFC 5545, 3.3.10, as it is written. What is not written is null. */
export interface RruleParts {
  readonly frequency: Frequency;
  readonly interval: number;
  readonly count: number | null;
  readonly until: Moment | null;
  readonly weekStart: number;
  readonly bySecond: readonly number[] | null;
  readonly byMinute: readonly number[] | null;
  readonly byHour: readonly number[] | null;
  readonly byDay: readonly RruleWeekday[] | null;
  readonly byMonthDay: readonly number[] | null;
  readonly byYearDay: readonly number[] | null;
  readonly byWeekNo: readonly number[] | null;
  readonly byMonth: readonly number[] | null;
  readonly bySetPos: readonly number[] | null;
}

const weekdays = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
const highestCount = 100_000;
const highestInterval = 100_000_000;
const names =
  'FREQ INTERVAL COUNT UNTIL WKST BYSECOND BYMINUTE BYHOUR BYDAY BYMONTHDAY BYYEARDAY BYWEEKNO BYMONTH BYSETPOS'.split(
    ' ',
  );

/** Reads a rule. Throws a `TimingFault` that names the part. */
export function rrulePartsOf(text: string): RruleParts {
  const values = valuesOf(text);
  const within = (name: string, [first, last]: readonly [number, number]) =>
    numbersIn(name, values.get(name), { first, last, isSigned: false });
  const aroundZero = (name: string, last: number) =>
    numbersIn(name, values.get(name), { first: 1, last, isSigned: true });
  const parts = {
    frequency: frequencyIn(values.get('FREQ')),
    interval: within('INTERVAL', [1, highestInterval])?.[0] ?? 1,
    count: within('COUNT', [1, highestCount])?.[0] ?? null,
    until: untilIn(values.get('UNTIL')),
    weekStart: weekdayIn('WKST', values.get('WKST') ?? 'MO'),
    bySecond: within('BYSECOND', [0, 60]),
    byMinute: within('BYMINUTE', [0, 59]),
    byHour: within('BYHOUR', [0, 23]),
    byDay: byDayIn(values.get('BYDAY')),
    byMonthDay: aroundZero('BYMONTHDAY', 31),
    byYearDay: aroundZero('BYYEARDAY', 366),
    byWeekNo: aroundZero('BYWEEKNO', 53),
    byMonth: within('BYMONTH', [1, 12]),
    bySetPos: aroundZero('BYSETPOS', 366),
  };
  checkTogether(parts);
  return parts;
}

function valuesOf(text: string): ReadonlyMap<string, string> {
  const rule = text
    .trim()
    .toUpperCase()
    .replace(/^RRULE:/, '');
  if (/\s|DTSTART|EXDATE|RDATE/.test(rule)) {
    throw new TimingFault(
      `${quoted(text)} is more than a rule: write FREQ=… alone, DTSTART as \`start\`, EXDATE as \`except\`, and no spaces.`,
    );
  }
  const values = new Map<string, string>();
  for (const part of rule.replace(/;$/, '').split(';')) {
    const [, name = '', value = ''] = /^([A-Z]+)=(.+)$/.exec(part) ?? [];
    if (!names.includes(name)) {
      throw new TimingFault(
        `${quoted(part)} is no part of a rule: write one of ${names.join(', ')}, as FREQ=DAILY.`,
      );
    }
    if (values.has(name)) throw new TimingFault(`${name} is there twice: write its values in one list.`);
    values.set(name, value);
  }
  return values;
}

function frequencyIn(value: string | undefined): Frequency {
  const found = frequencies.find((frequency) => frequency === value);
  if (found !== undefined) return found;
  const got = value === undefined ? 'is missing' : `is ${quoted(value)}`;
  throw new TimingFault(`FREQ ${got}: write one of ${frequencies.join(', ')}.`);
}

interface NumberRange {
  readonly first: number;
  readonly last: number;
  readonly isSigned: boolean;
}

function numbersIn(
  name: string,
  value: string | undefined,
  { first, last, isSigned }: NumberRange,
): readonly number[] | null {
  if (value === undefined) return null;
  const numbers = value.split(',').map((item) => {
    const number = /^[+-]?\d{1,9}$/.test(item) ? Number(item) : NaN;
    const size = isSigned ? Math.abs(number) : number;
    if (size >= first && size <= last) return number;
    const range = isSigned ? `${first} to ${last}, or -${last} to -${first}` : `${first} to ${last}`;
    throw new TimingFault(`${name} has ${quoted(item)}: use ${range}.`);
  });
  if ((name === 'INTERVAL' || name === 'COUNT') && numbers.length > 1) {
    throw new TimingFault(`${name} has ${quoted(value)}: write one number.`);
  }
  return [...new Set(numbers)].toSorted((a, b) => a - b);
}

function untilIn(value: string | undefined): Moment | null {
  if (value === undefined) return null;
  const [found, year, month, day, hour, minute, second, utc = ''] =
    /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z)?)?$/.exec(value) ?? [];
  if (found === undefined) {
    throw new TimingFault(`UNTIL has ${quoted(value)}: write 20261231, 20261231T235959 or 20261231T235959Z.`);
  }
  const date = `${year}-${month}-${day}`;
  return momentOf(hour === undefined ? date : `${date}T${hour}:${minute}:${second}${utc}`);
}

function weekdayIn(name: string, value: string): number {
  const weekday = weekdays.indexOf(value);
  if (weekday >= 0) return weekday;
  throw new TimingFault(`${name} has ${quoted(value)}: use ${weekdays.join(', ')}.`);
}

function byDayIn(value: string | undefined): readonly RruleWeekday[] | null {
  if (value === undefined) return null;
  return value.split(',').map((item) => {
    const [, ordinalText, day] = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(item) ?? [];
    const weekday = weekdayIn('BYDAY', day ?? item);
    const ordinal = ordinalText === undefined ? null : Number(ordinalText);
    if (ordinal === null || (ordinal !== 0 && Math.abs(ordinal) <= 53)) return { weekday, ordinal };
    throw new TimingFault(`BYDAY has ${quoted(item)}: before the day stands 1 to 53, or -1 to -53.`);
  });
}

/** What the RFC says of parts that do not go together. Guessing what was meant would fire on days nobody wanted. */
function checkTogether(parts: RruleParts): void {
  const { frequency, count, until, byDay, byMonthDay, byYearDay, byWeekNo } = parts;
  if (count !== null && until !== null)
    throw new TimingFault('A rule has COUNT or UNTIL, not both: take one away.');
  if (byWeekNo !== null && frequency !== 'YEARLY') throw misplaced('BYWEEKNO', frequency, 'FREQ=YEARLY');
  if (byYearDay !== null && ['MONTHLY', 'WEEKLY', 'DAILY'].includes(frequency)) {
    throw misplaced('BYYEARDAY', frequency, 'FREQ=YEARLY');
  }
  if (byMonthDay !== null && frequency === 'WEEKLY') throw misplaced('BYMONTHDAY', frequency, 'FREQ=MONTHLY');
  if (byDay?.some(({ ordinal }) => ordinal !== null) === true) {
    if (frequency !== 'MONTHLY' && frequency !== 'YEARLY') {
      throw misplaced('A number before a day in BYDAY', frequency, 'FREQ=MONTHLY or FREQ=YEARLY');
    }
    if (byWeekNo !== null) {
      throw new TimingFault('Beside BYWEEKNO no day of BYDAY has a number: write MO, not 1MO.');
    }
  }
  const { bySetPos, bySecond, byMinute, byHour, byMonth } = parts;
  const others = [byDay, byMonthDay, byYearDay, byWeekNo, bySecond, byMinute, byHour, byMonth];
  if (bySetPos !== null && others.every((other) => other === null)) {
    throw new TimingFault('BYSETPOS picks from what another part gives: add one, like BYDAY=MO,TU,WE,TH,FR.');
  }
}

function misplaced(what: string, frequency: Frequency, where: string): TimingFault {
  return new TimingFault(`${what} means nothing with FREQ=${frequency}: use it with ${where}.`);
}
