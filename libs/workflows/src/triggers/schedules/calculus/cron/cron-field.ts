import { TimingFault } from '../timing-fault';

/** One of the fields of a cron expression: its name in messages, its range, and the names of its values. */
export interface CronField {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** How many values there are before they begin again; a range that ends before it begins goes around. */
  readonly size: number;
  readonly names: readonly string[];
  /** The value of the first name. */
  readonly namesFrom: number;
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

export const cronFields = {
  seconds: { name: 'seconds', first: 0, last: 59, size: 60, names: [], namesFrom: 0 },
  minutes: { name: 'minutes', first: 0, last: 59, size: 60, names: [], namesFrom: 0 },
  hours: { name: 'hours', first: 0, last: 23, size: 24, names: [], namesFrom: 0 },
  daysOfMonth: { name: 'days of the month', first: 1, last: 31, size: 31, names: [], namesFrom: 1 },
  months: { name: 'months', first: 1, last: 12, size: 12, names: months, namesFrom: 1 },
  // Sunday is 0 and 7.
  daysOfWeek: { name: 'days of the week', first: 0, last: 7, size: 7, names: weekdays, namesFrom: 0 },
} as const satisfies Record<string, CronField>;

/** What plain items of a field say. */
export interface CronValues {
  readonly values: readonly number[];
  /** It says nothing: `*`, `?`, or each of all. */
  readonly isAny: boolean;
  /** A star, a range or a step is in it: it means a stretch of time and not single points. */
  readonly isInterval: boolean;
}

/** A plain item: a star, a value or a range, each perhaps with a step. */
const ITEM = /^(?:(\*)|([0-9]{1,4}|[A-Za-z]{3})(?:-([0-9]{1,4}|[A-Za-z]{3}))?)(?:\/([0-9]{1,4}))?$/;

/** The values of a field that has plain items alone. */
export function plainField(field: CronField, text: string): CronValues {
  const values = new Set<number>();
  for (const item of itemsOf(field, text)) for (const value of plainItem(field, item)) values.add(value);
  return { values: [...values].toSorted((a, b) => a - b), ...mannerOf(text) };
}

export function mannerOf(text: string): Pick<CronValues, 'isAny' | 'isInterval'> {
  return { isAny: /^(?:\*|\?|\*\/0*1)$/.test(text), isInterval: /[*?/-]/.test(text) };
}

/** The items of a list. A question mark stands alone, and is a star. */
export function itemsOf(field: CronField, text: string): readonly string[] {
  if (text === '?') return ['*'];
  return text.split(',').map((item) => {
    if (item === '')
      throw wrong(field, text, 'has an empty item: take the comma away, or write what it is for');
    return item;
  });
}

/** The values of one item. */
export function plainItem(field: CronField, item: string): readonly number[] {
  const [found, star, fromText, toText, stepText] = ITEM.exec(item) ?? [];
  if (found === undefined) throw wrong(field, item, `is not understood: ${advice(field)}`);
  const step = stepText === undefined ? 1 : stepIn(field, item, stepText);
  const lastOfAll = field.first + field.size - 1;
  const from = star === undefined ? valueIn(field, item, fromText ?? '') : field.first;
  if (star === undefined && toText === undefined && stepText === undefined) return [folded(field, from)];
  const to = toText === undefined ? lastOfAll : valueIn(field, item, toText);
  const end = to < from ? to + field.size : to;
  const values: number[] = [];
  for (let value = from; value <= end; value += step) values.push(folded(field, value));
  return values;
}

/** The value of a number or a name. */
export function valueIn(field: CronField, item: string, text: string): number {
  const byName = field.names.indexOf(text.toUpperCase());
  if (byName >= 0) return byName + field.namesFrom;
  if (!/^[0-9]+$/.test(text)) throw wrong(field, item, `is not understood: ${advice(field)}`);
  const value = Number(text);
  if (value >= field.first && value <= field.last) return value;
  throw wrong(field, item, `is out of range: ${advice(field)}`);
}

function stepIn(field: CronField, item: string, text: string): number {
  const step = Number(text);
  if (step >= 1 && step <= field.last) return step;
  throw wrong(field, item, `has the step ${text}, which must be 1 to ${field.last}`);
}

/** 7 is Sunday as 0 is, and a range that goes around the end comes back at the beginning. */
function folded(field: CronField, value: number): number {
  return ((value - field.first) % field.size) + field.first;
}

export function wrong(field: CronField, item: string, what: string): TimingFault {
  return new TimingFault(`In the ${field.name}, ${JSON.stringify(item.slice(0, 40))} ${what}.`);
}

function advice({ first, last, names }: CronField): string {
  const words = names.length === 0 ? '' : ` or ${names[0]} to ${names.at(-1)}`;
  return `use ${first} to ${last}${words}, as a value, a range (a-b) or a step (a-b/n, */n), in a list (a,b)`;
}
