import { type CronField, cronFields, itemsOf, mannerOf, plainItem, valueIn, wrong } from './cron-field';

/**
 * On which days a cron expression fires, given nothing of a month but its shape: how many days it has, and on which weekday
 * it begins. There are 28 shapes, so all answers are computed once, and it is known whether there is any.
 */
export class CronDays {
  /** A bit for each day, 1 to 31, by shape. */
  readonly #byShape = new Int32Array(4 * 7);

  constructor(daysOfMonth: string, daysOfWeek: string) {
    const inMonth = dayOfMonthRules(daysOfMonth);
    const inWeek = dayOfWeekRules(daysOfWeek);
    const [anyInMonth, anyInWeek] = [mannerOf(daysOfMonth).isAny, mannerOf(daysOfWeek).isAny];
    for (const shape of shapes) {
      const fromMonth = maskOf(inMonth, shape);
      const fromWeek = maskOf(inWeek, shape);
      // Where both are restricted one of them is enough, as cron has it since its beginnings.
      const isEither = !anyInMonth && !anyInWeek;
      this.#byShape[indexOf(shape)] = isEither ? fromMonth | fromWeek : fromMonth & fromWeek;
    }
  }

  /** A bit for each day of such a month, bit 1 for the first. */
  mask(length: number, firstWeekday: number): number {
    return this.#byShape[indexOf({ length, firstWeekday })] ?? 0;
  }

  /** Whether any year has such a day in one of these months. Each month begins on each weekday in some year. */
  isReachable(months: readonly number[]): boolean {
    return months.some((month) =>
      shapes.some((shape) => lengthsOf(month).includes(shape.length) && this.#byShape[indexOf(shape)] !== 0),
    );
  }
}

interface MonthShape {
  readonly length: number;
  readonly firstWeekday: number;
}

/** The days of a month that one item means; those that the month does not have are left out. */
type DayRule = (shape: MonthShape) => readonly number[];

const shapes: readonly MonthShape[] = [28, 29, 30, 31].flatMap((length) =>
  [0, 1, 2, 3, 4, 5, 6].map((firstWeekday) => ({ length, firstWeekday })),
);

function indexOf({ length, firstWeekday }: MonthShape): number {
  return (length - 28) * 7 + firstWeekday;
}

function lengthsOf(month: number): readonly number[] {
  if (month === 2) return [28, 29];
  return [4, 6, 9, 11].includes(month) ? [30] : [31];
}

function maskOf(rules: readonly DayRule[], shape: MonthShape): number {
  const days = rules.flatMap((rule) => rule(shape)).filter((day) => day >= 1 && day <= shape.length);
  return days.reduce((mask, day) => mask | (1 << day), 0);
}

const FROM_LAST = /^L(?:-([0-9]{1,2}))?(W)?$/i;
const NEAREST = /^([0-9]{1,2})W$/i;

function dayOfMonthRules(text: string): readonly DayRule[] {
  const field = cronFields.daysOfMonth;
  return itemsOf(field, text).map((item) => {
    const [fromLast, backText = '0', workday] = FROM_LAST.exec(item) ?? [];
    if (fromLast !== undefined) {
      const back = Number(backText);
      if (back > 30) throw wrong(field, item, 'goes back too far: use L-0 to L-30');
      return workday === undefined
        ? ({ length }) => [length - back]
        : (shape) => nearestWorkday(shape, shape.length - back);
    }
    const [nearest, dayText = ''] = NEAREST.exec(item) ?? [];
    if (nearest !== undefined) {
      const day = valueIn(field, item, dayText);
      return (shape) => nearestWorkday(shape, day);
    }
    return ofValues(field, item);
  });
}

const NTH = /^([0-7]|[A-Za-z]{3})#([1-5])$/;
const LAST = /^([0-7]|[A-Za-z]{3})L$/i;

function dayOfWeekRules(text: string): readonly DayRule[] {
  const field = cronFields.daysOfWeek;
  return itemsOf(field, text).map((item) => {
    const [nth, nthDay = '', ordinal = ''] = NTH.exec(item) ?? [];
    if (nth !== undefined) {
      const weekday = valueIn(field, item, nthDay) % 7;
      return (shape) => [firstOf(shape, weekday) + 7 * (Number(ordinal) - 1)];
    }
    const [last, lastDay = ''] = LAST.exec(item) ?? [];
    if (last !== undefined) {
      const weekday = valueIn(field, item, lastDay) % 7;
      return (shape) => [lastOf(shape, weekday)];
    }
    const weekdays = plainItem(field, item);
    return (shape) => weekdays.flatMap((weekday) => allOf(shape, weekday));
  });
}

function ofValues(field: CronField, item: string): DayRule {
  const days = plainItem(field, item);
  return () => days;
}

function firstOf({ firstWeekday }: MonthShape, weekday: number): number {
  return 1 + ((weekday - firstWeekday + 7) % 7);
}

function lastOf(shape: MonthShape, weekday: number): number {
  const first = firstOf(shape, weekday);
  return first + 7 * Math.floor((shape.length - first) / 7);
}

function allOf(shape: MonthShape, weekday: number): readonly number[] {
  return [0, 7, 14, 21, 28].map((days) => firstOf(shape, weekday) + days);
}

/** Monday to Friday; never in another month, and nothing in a month that does not have the day. */
function nearestWorkday(shape: MonthShape, day: number): readonly number[] {
  if (day < 1 || day > shape.length) return [];
  const weekday = (shape.firstWeekday + day - 1) % 7;
  if (weekday === 6) return [day > 1 ? day - 1 : day + 2];
  if (weekday === 0) return [day < shape.length ? day + 1 : day - 2];
  return [day];
}
