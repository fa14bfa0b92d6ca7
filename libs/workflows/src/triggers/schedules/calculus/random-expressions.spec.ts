import fc from 'fast-check';
import { compileSchedule, timingProblems } from './compile-schedule';
import type { ScheduleTiming } from './schedule-timing';
import { scheduleTimingSchema } from './timing-schema';
import { MINUTE_MS, type Shown, shownBy, SlowClock } from './testing/slow-clock';

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Antarctica/Troll',
  'Africa/Cairo',
  'Asia/Beirut',
  'America/Santiago',
  'Africa/Casablanca',
  'America/Nuuk',
];

/** A field as it is written, and the values it means, worked out here once more. */
interface Field {
  readonly text: string;
  readonly values: ReadonlySet<number>;
}

function fieldOf(first: number, last: number): fc.Arbitrary<Field> {
  const value = fc.integer({ min: first, max: last });
  const step = fc.integer({ min: 1, max: Math.max(1, last - first) });
  const between = (from: number, to: number, by: number) => {
    const values: number[] = [];
    const size = last - first + 1;
    for (let at = from; at <= (to < from ? to + size : to); at += by) values.push(at > last ? at - size : at);
    return values;
  };
  const item = fc.oneof(
    value.map((one) => ({ text: `${one}`, values: [one] })),
    fc.tuple(value, value).map(([from, to]) => ({ text: `${from}-${to}`, values: between(from, to, 1) })),
    fc
      .tuple(value, value, step)
      .map(([from, to, by]) => ({ text: `${from}-${to}/${by}`, values: between(from, to, by) })),
    step.map((by) => ({ text: `*/${by}`, values: between(first, last, by) })),
  );
  const list = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => ({
    text: items.map(({ text }) => text).join(','),
    values: new Set(items.flatMap(({ values }) => values)),
  }));
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant({ text: '*', values: new Set(between(first, last, 1)) }) },
    { weight: 3, arbitrary: list },
  );
}

const expression = fc
  .tuple(fieldOf(0, 59), fieldOf(0, 23), fieldOf(1, 31), fieldOf(1, 12), fieldOf(0, 6))
  .map(([minutes, hours, days, months, weekdays]) => {
    const isAny = ({ text }: Field) => text === '*' || text === '*/1';
    const fits = ({ minute, hour, day, month, weekday }: Shown) => {
      const [inMonth, inWeek] = [days.values.has(day), weekdays.values.has(weekday)];
      const isDay = isAny(days) || isAny(weekdays) ? inMonth && inWeek : inMonth || inWeek;
      return minutes.values.has(minute) && hours.values.has(hour) && months.values.has(month) && isDay;
    };
    const cron = [minutes, hours, days, months, weekdays].map(({ text }) => text).join(' ');
    return { cron, fits };
  });

const instant = fc.integer({ min: Date.UTC(2015, 0, 1) / MINUTE_MS, max: Date.UTC(2036, 0, 1) / MINUTE_MS });
const longestLook = 2_000;

describe('Random expressions, zones and instants', () => {
  it('fire later and later, when the wall shows what is written, or at the end of a gap that does not', () => {
    const check = fc.property(
      expression,
      fc.constantFrom(...zones),
      instant,
      ({ cron, fits }, timezone, minute) => {
        const schedule = compileSchedule({ cron, timezone });
        const clock = new SlowClock(timezone);
        let before = minute * MINUTE_MS;
        for (let number = 0; number < 5; number += 1) {
          const at = schedule.next(before);
          if (at === null) return;
          expect(at).toBeGreaterThan(before);
          const wall = clock.wallAt(at);
          const wallBefore = clock.wallAt(at - MINUTE_MS);
          const missed = Array.from(
            { length: Math.max(0, wall - wallBefore - 1) },
            (_, index) => wallBefore + 1 + index,
          );
          expect([wall, ...missed].some((one) => fits(shownBy(one)))).toBe(true);
          before = at;
        }
      },
    );
    fc.assert(check, { numRuns: 1_000 });
  });

  it('fire at no later minute than the first whose wall fits, unless it was shown before', () => {
    const check = fc.property(
      expression,
      fc.constantFrom(...zones),
      instant,
      ({ cron, fits }, timezone, minute) => {
        const afterMs = minute * MINUTE_MS;
        const at = compileSchedule({ cron, timezone }).next(afterMs) ?? Infinity;
        const clock = new SlowClock(timezone);
        const shown = new Set(
          Array.from({ length: 180 }, (_, back) => clock.wallAt(afterMs - back * MINUTE_MS)),
        );
        for (let look = 1; look < longestLook && afterMs + look * MINUTE_MS < at; look += 1) {
          const wall = clock.wallAt(afterMs + look * MINUTE_MS);
          const isOverdue = fits(shownBy(wall)) && !shown.has(wall);
          shown.add(wall);
          expect({ cron, timezone, minute, look, isOverdue }).toEqual({
            cron,
            timezone,
            minute,
            look,
            isOverdue: false,
          });
        }
      },
    );
    fc.assert(check, { numRuns: 100 });
  }, 60_000);
});

describe('Whatever is written', () => {
  const asked = Date.UTC(2026, 0, 1);
  const cronText = fc
    .array(
      fc.constantFrom(
        ...'0 1 2 3 4 5 6 7 8 9 * / - , ? L W # @'.split(' '),
        ' ',
        '\t',
        'MON',
        'jan',
        '  ',
        '31',
        '59',
        'ü',
        '\u0000',
        '9'.repeat(40),
      ),
      {
        maxLength: 30,
      },
    )
    .map((parts) => parts.join(''));
  const names = [
    'FREQ',
    'INTERVAL',
    'COUNT',
    'UNTIL',
    'WKST',
    'BYDAY',
    'BYMONTHDAY',
    'BYSETPOS',
    'BYHOUR',
    'BYWEEKNO',
  ];
  const values = [
    'YEARLY',
    'DAILY',
    'SECONDLY',
    'MO',
    '1MO',
    '-1FR',
    '2',
    '-31',
    '366',
    '99999999',
    '20270101',
    '',
    'x',
  ];
  const rruleText = fc
    .array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...values)), { maxLength: 6 })
    .map((parts) => parts.map(([name, value]) => `${name}=${value}`).join(';'));

  /** The problems of a timing, or whether it fires, later than it is asked. */
  function outcomeOf(timing: ScheduleTiming): string {
    const problems = timingProblems(timing).map(({ pointer, message }) => `${pointer} ${message}`);
    if (problems.length > 0) return problems.join('\n');
    const first = compileSchedule(timing).next(asked);
    if (first === null) return 'never';
    return first > asked ? 'later' : `at ${first}`;
  }

  it('is a cron expression that fires or never does, or has a problem: nothing is thrown', () => {
    const check = fc.property(fc.oneof(cronText, fc.string({ maxLength: 60 })), (cron) => {
      expect(outcomeOf({ cron })).toMatch(/^(\/cron .+\.|later|never)$/s);
    });
    fc.assert(check, { numRuns: 5_000 });
  });

  it('is a rule that can be asked, or has a problem', () => {
    const check = fc.property(fc.oneof(rruleText, fc.string({ maxLength: 60 })), (rrule) => {
      expect(outcomeOf({ rrule, start: '2026-01-31T09:00:01' })).toMatch(/^(\/rrule .+\.|later|never)$/s);
    });
    fc.assert(check, { numRuns: 1_000 });
  });

  it('is parsed by the schema without being thrown back', () => {
    const member = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.string()), cronText);
    const keys = fc.constantFrom(
      'cron',
      'every',
      'rrule',
      'dates',
      'timezone',
      'start',
      'end',
      'except',
      'gap',
      'fold',
      '__proto__',
    );
    const check = fc.property(fc.oneof(fc.dictionary(keys, member), fc.anything()), (value) => {
      expect(typeof scheduleTimingSchema.safeParse(value).success).toBe('boolean');
    });
    fc.assert(check, { numRuns: 2_000 });
  });

  it.each(['0 0 31 2 *', '0 0 30 2 *', '0 0 31 4,6,9,11 *', '0 0 L-30 2,4 *', '0 0 31W 2 *'])(
    'is never when no day fits %s',
    (cron) => {
      expect(compileSchedule({ cron, timezone: 'Europe/Berlin' }).next(0)).toBeNull();
    },
  );

  it('is found however rare it is', () => {
    const schedule = compileSchedule({ cron: '0 0 * 2 MON#5' });
    const days = schedule
      .occurrences(Date.UTC(2026, 0, 1), 9)
      .map(({ atMs }) => new Date(atMs).toISOString().slice(0, 10));
    // 29 February is a Monday each 28 years, but for 2100, which has none.
    expect(days).toEqual([
      '2044-02-29',
      '2072-02-29',
      '2112-02-29',
      '2140-02-29',
      '2168-02-29',
      '2196-02-29',
    ]);
  });
});
