import { civilOf, DAY_MS, dayNumber, daysInMonth, LAST_YEAR, weekdayOf } from '../civil';
import { TimeOfDay } from '../time-of-day';
import { quoted, TimingFault } from '../timing-fault';
import { NEVER, type WallPattern } from '../wall-pattern';
import { CronDays } from './cron-days';
import { cronFields, plainField } from './cron-field';

const macros: ReadonlyMap<string, string> = new Map([
  ['@every_second', '* * * * * *'],
  ['@every_minute', '* * * * *'],
  ['@hourly', '0 * * * *'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@weekly', '0 0 * * 0'],
  ['@monthly', '0 0 1 * *'],
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
]);

/** The walls of a cron expression. Throws a `TimingFault` that names the field and the item. */
export class CronPattern implements WallPattern {
  readonly isInterval: boolean;
  /** Whether any day of any year fits. */
  readonly isReachable: boolean;
  readonly #times: TimeOfDay;
  readonly #months: readonly boolean[];
  readonly #days: CronDays;

  constructor(text: string) {
    const [second, minute, hour, dayOfMonth, month, dayOfWeek] = fieldsOf(text);
    const seconds = plainField(cronFields.seconds, second);
    const minutes = plainField(cronFields.minutes, minute);
    const hours = plainField(cronFields.hours, hour);
    const months = plainField(cronFields.months, month).values;
    this.#times = new TimeOfDay(hours.values, minutes.values, seconds.values);
    this.#months = Array.from({ length: 13 }, (_, index) => months.includes(index));
    this.#days = new CronDays(dayOfMonth, dayOfWeek);
    this.isInterval = seconds.isInterval || minutes.isInterval || hours.isInterval;
    this.isReachable = this.#days.isReachable(months);
  }

  next(wallMs: number): number {
    if (!this.isReachable) return NEVER;
    const wholeDays = Math.floor(wallMs / DAY_MS);
    const { year, month, day } = civilOf(wholeDays);
    const mask = this.#daysIn(year, month);
    if ((mask & (1 << day)) !== 0) {
      const time = this.#times.next(Math.ceil((wallMs - wholeDays * DAY_MS) / 1000));
      if (time >= 0) return wholeDays * DAY_MS + time * 1000;
    }
    return this.#onLaterDay(year, month, mask & ~((2 << day) - 1));
  }

  /** The first time of the first of these days, or of the first day of a later month. */
  #onLaterDay(fromYear: number, fromMonth: number, restOfMonth: number): number {
    let [year, month, mask] = [fromYear, fromMonth, restOfMonth];
    while (mask === 0) {
      month += 1;
      if (month > 12) [year, month] = [year + 1, 1];
      if (year > LAST_YEAR) return NEVER;
      mask = this.#daysIn(year, month);
    }
    // The lowest bit that is set.
    const day = 31 - Math.clz32(mask & -mask);
    return dayNumber({ year, month, day }) * DAY_MS + this.#times.at(0) * 1000;
  }

  #daysIn(year: number, month: number): number {
    if (this.#months[month] !== true) return 0;
    return this.#days.mask(daysInMonth(year, month), weekdayOf(dayNumber({ year, month, day: 1 })));
  }
}

/** The six fields of an expression, seconds first. */
function fieldsOf(text: string): readonly [string, string, string, string, string, string] {
  const trimmed = text.trim();
  if (trimmed.startsWith('@')) {
    const expression = macros.get(trimmed.toLowerCase());
    if (expression !== undefined) return fieldsOf(expression);
    const known = [...macros.keys()].join(', ');
    throw new TimingFault(`${quoted(trimmed)} is not known. Use one of ${known}, or five or six fields.`);
  }
  const fields = trimmed === '' ? [] : trimmed.split(/\s+/);
  const [second, minute, hour, dayOfMonth, month, dayOfWeek] =
    fields.length === 5 ? ['0', ...fields] : fields;
  if (
    second !== undefined &&
    minute !== undefined &&
    hour !== undefined &&
    dayOfMonth !== undefined &&
    month !== undefined &&
    dayOfWeek !== undefined &&
    fields.length <= 6
  ) {
    return [second, minute, hour, dayOfMonth, month, dayOfWeek];
  }
  const years = fields.length === 7 ? ' Years are no field: bound the schedule with `start` and `end`.' : '';
  throw new TimingFault(
    `A cron expression has five fields (minutes, hours, days of the month, months, days of the week) or six with seconds ` +
      `before them; ${quoted(text)} has ${fields.length}.${years}`,
  );
}
