import { compileSchedule } from './compile-schedule';
import type { CompiledSchedule } from './compiled-schedule';
import type { ScheduleTiming } from './schedule-timing';
import { MINUTE_MS, type Shown, shownBy, SlowClock } from './testing/slow-clock';

// Every zone there is, every clock change from 2020 to 2030, minute by minute: what fires is decided a second time, from what
// a clock shows at each minute around the change and from a predicate that is written beside the expression.

interface Expression {
  readonly cron: string;
  readonly isInterval: boolean;
  readonly fits: (shown: Shown) => boolean;
}

const nightHours = [0, 1, 2, 3, 4, 21, 22, 23];
const expressions: readonly Expression[] = [
  { cron: '*/15 * * * *', isInterval: true, fits: ({ minute }) => minute % 15 === 0 },
  { cron: '7 * * * *', isInterval: true, fits: ({ minute }) => minute === 7 },
  { cron: '0 */2 * * *', isInterval: true, fits: ({ minute, hour }) => minute === 0 && hour % 2 === 0 },
  {
    cron: '10-12 22-3 * * SAT-MON',
    isInterval: true,
    fits: ({ minute, hour, weekday }) =>
      minute >= 10 && minute <= 12 && (hour >= 22 || hour <= 3) && (weekday === 6 || weekday <= 1),
  },
  {
    cron: '0,30,59 0,1,2,3,4,21,22,23 * * *',
    isInterval: false,
    fits: ({ minute, hour }) => [0, 30, 59].includes(minute) && nightHours.includes(hour),
  },
  { cron: '0 0 * * *', isInterval: false, fits: ({ minute, hour }) => minute === 0 && hour === 0 },
  {
    cron: '30 2 * * SUN',
    isInterval: false,
    fits: (s) => s.minute === 30 && s.hour === 2 && s.weekday === 0,
  },
  { cron: '45 23,1 L,25-31 * *', isInterval: false, fits: (s) => s.minute === 45 && isLate(s) },
];

function isLate({ wall, hour, day }: Shown): boolean {
  const isLastOfMonth = shownBy(wall + 1_440).day === 1;
  return (hour === 23 || hour === 1) && (day >= 25 || isLastOfMonth);
}

const gaps = ['next', 'skip', 'shift'] as const;
const folds = ['auto', 'first', 'second', 'both'] as const;
/** Where clocks are set forward, the policies of gaps matter; where they are set back, those of folds. */
const policies = {
  forward: gaps.map((gap) => ({ gap, fold: 'auto' as const })),
  back: folds.map((fold) => ({ gap: 'next' as const, fold })),
};

type Policy = Required<Pick<ScheduleTiming, 'gap' | 'fold'>>;

/** The walls of the minutes around a change, by minute, and what lies in the gap where there is one. */
interface Surroundings {
  readonly fromMs: number;
  readonly walls: readonly number[];
  readonly isForward: boolean;
  readonly minutesOf: ReadonlyMap<number, readonly number[]>;
}

// Further than any offset changes by, so that both passings and all of a shift are within.
const AROUND = 240;

function surroundingsOf(clock: SlowClock, changeMs: number): Surroundings {
  const fromMs = changeMs - AROUND * MINUTE_MS;
  const walls = Array.from({ length: 2 * AROUND }, (_, minute) => clock.wallAt(fromMs + minute * MINUTE_MS));
  const minutesOf = new Map<number, number[]>();
  walls.forEach((wall, minute) => minutesOf.set(wall, [...(minutesOf.get(wall) ?? []), minute]));
  const isForward = (walls.at(-1) ?? 0) - (walls[0] ?? 0) > 2 * AROUND - 1;
  return { fromMs, walls, isForward, minutesOf };
}

/** The minutes at which an expression fires, given which walls it fits. */
function slowly(fits: ReadonlySet<number>, { gap, fold }: Policy, around: Surroundings): string {
  const minutes = new Set<number>();
  for (const [wall, passings] of around.minutesOf) {
    if (!fits.has(wall)) continue;
    if (fold !== 'second') minutes.add(passings[0] ?? 0);
    if (fold !== 'first') minutes.add(passings.at(-1) ?? 0);
  }
  around.walls.forEach((wall, minute) => {
    const before = around.walls[minute - 1] ?? wall - 1;
    for (let missed = before + 1; missed < wall; missed += 1) {
      if (gap === 'skip' || !fits.has(missed)) continue;
      minutes.add(gap === 'next' ? minute : minute + missed - before - 1);
    }
  });
  return [...minutes].toSorted((a, b) => a - b).join();
}

function fittingWalls({ fits }: Expression, { walls }: Surroundings): ReadonlySet<number> {
  const [first, last] = [Math.min(...walls), Math.max(...walls)];
  const all = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return new Set(all.filter((wall) => fits(shownBy(wall))));
}

function firesOf(schedule: CompiledSchedule, fromMs: number): string {
  const minutes: number[] = [];
  let at = schedule.next(fromMs - 1);
  while (at !== null && at < fromMs + 2 * AROUND * MINUTE_MS) {
    minutes.push((at - fromMs) / MINUTE_MS);
    at = schedule.next(at);
  }
  return minutes.join();
}

/** What differs around the changes of a zone, and how many changes it has. */
function examine(zone: string): { readonly changes: number; readonly differences: readonly string[] } {
  const clock = new SlowClock(zone);
  const changes = clock.changesBetween(Date.UTC(2020, 0, 1), Date.UTC(2031, 0, 1));
  const surroundings = changes.map((changeMs) => surroundingsOf(clock, changeMs));
  const differences = expressions.flatMap((expression) => {
    const fits = surroundings.map((around) => fittingWalls(expression, around));
    return [policies.forward, policies.back].flatMap((ofDirection) =>
      ofDirection.flatMap((policy) => {
        const schedule = compileSchedule({ cron: expression.cron, timezone: zone, ...policy });
        const fold = policy.fold === 'auto' ? (expression.isInterval ? 'both' : 'first') : policy.fold;
        return surroundings.flatMap((around, index) => {
          if (around.isForward !== (ofDirection === policies.forward)) return [];
          const got = firesOf(schedule, around.fromMs);
          const expected = slowly(fits[index] ?? new Set(), { ...policy, fold }, around);
          if (got === expected) return [];
          const which = `${zone} ${new Date(around.fromMs).toISOString()} ${expression.cron} ${JSON.stringify(policy)}`;
          return [`${which}: expected ${expected}, got ${got}`];
        });
      }),
    );
  });
  return { changes: changes.length, differences };
}

describe('Every zone', () => {
  const zones = Intl.supportedValuesOf('timeZone');

  it.each([
    'Africa',
    'America',
    'Antarctica',
    'Arctic',
    'Asia',
    'Atlantic',
    'Australia',
    'Europe',
    'Indian',
    'Pacific',
  ])(
    'in %s fires around its clock changes as minutes show it',
    (region) => {
      const found = zones.filter((zone) => zone.startsWith(`${region}/`)).map(examine);
      expect(found.flatMap(({ differences }) => differences)).toEqual([]);
    },
    120_000,
  );

  it('is in a region that is examined, and many have changes', () => {
    const regions = new Set(zones.map((zone) => zone.split('/')[0]));
    expect(
      [...regions].filter((region) => zones.filter((zone) => zone.startsWith(`${region}/`)).length > 0),
    ).toHaveLength(10);
  });

  it.each([
    ['Australia/Lord_Howe', 22],
    ['Antarctica/Troll', 22],
    ['Africa/Cairo', 16],
    ['Asia/Beirut', 22],
    ['America/Nuuk', 21],
  ])('%s has the changes that it is known for', (zone, changes) => {
    expect(examine(zone)).toEqual({ changes, differences: [] });
  });
});

describe('Zones with changes that are rarer', () => {
  const fires = (timing: ScheduleTiming, from: string, count: number) =>
    compileSchedule(timing)
      .occurrences(Date.parse(from), count)
      .map(({ atMs }) => new Date(atMs).toISOString().replace(':00.000Z', 'Z'));

  it('Samoa left out 30 December 2011: all of the day is a gap', () => {
    const timing = { cron: '0 12 * * *', timezone: 'Pacific/Apia' };
    const from = '2011-12-29T00:00:00Z';
    // The 29th at noon, then the first instant after the gap, the 31st at midnight, then noon.
    expect(fires(timing, from, 3)).toEqual(['2011-12-29T22:00Z', '2011-12-30T10:00Z', '2011-12-30T22:00Z']);
    expect(fires({ ...timing, gap: 'skip' }, from, 2)).toEqual(['2011-12-29T22:00Z', '2011-12-30T22:00Z']);
    // Moved by 24 hours it is the noon of the next day.
    expect(fires({ ...timing, gap: 'shift' }, from, 3)).toEqual([
      '2011-12-29T22:00Z',
      '2011-12-30T22:00Z',
      '2011-12-31T22:00Z',
    ]);
  });

  it('Asuncion and Beirut change at midnight: the day begins at one', () => {
    expect(fires({ cron: '0 0 * * *', timezone: 'America/Asuncion' }, '2023-10-01T00:00:00Z', 2)).toEqual([
      '2023-10-01T04:00Z',
      '2023-10-02T03:00Z',
    ]);
    expect(
      fires({ cron: '30 0 * * *', timezone: 'Asia/Beirut', gap: 'shift' }, '2026-03-28T12:00:00Z', 2),
    ).toEqual(['2026-03-28T22:30Z', '2026-03-29T21:30Z']);
  });

  it('Gaza has seven days between two changes in 2040', () => {
    const offsets = compileSchedule({ cron: '0 12 * * *', timezone: 'Asia/Gaza' })
      .occurrences(Date.parse('2040-10-15T00:00:00Z'), 16)
      .map(({ offsetMs }) => offsetMs / 3_600_000);
    expect(offsets.join('')).toBe(
      `${'2'.repeat(offsets.indexOf(3))}${'3'.repeat(7)}${'2'.repeat(9 - offsets.indexOf(3))}`,
    );
  });

  it('Monrovia was 44 minutes and 30 seconds behind until 1972', () => {
    expect(fires({ cron: '0 0 * * *', timezone: 'Africa/Monrovia' }, '1971-06-01T00:00:00Z', 1)).toEqual([
      '1971-06-01T00:44:30.000Z',
    ]);
  });

  it('nothing fires before 1970 or after 2199', () => {
    const timing = { cron: '0 0 1 1 *', timezone: 'America/New_York' };
    expect(fires(timing, '0001-01-01T00:00:00Z', 1)).toEqual(['1970-01-01T05:00Z']);
    expect(fires(timing, '2199-01-01T00:00:00Z', 3)).toEqual(['2199-01-01T05:00Z']);
  });
});
