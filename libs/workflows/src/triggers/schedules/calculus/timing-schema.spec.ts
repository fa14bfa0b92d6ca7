import { z } from 'zod';
import { compileSchedule, InvalidTimingError } from './compile-schedule';
import type { ScheduleTiming } from './schedule-timing';
import { scheduleTimingSchema } from './timing-schema';

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

function firesOf(timing: ScheduleTiming, from: string, count = 4): readonly (string | null)[] {
  const schedule = compileSchedule(timing);
  return schedule.occurrences(Date.parse(from), count).map(({ atMs }) => iso(atMs));
}

/** The problems that the schema reports, as `pointer: message`. */
function problemsIn(timing: unknown): readonly string[] {
  const parsed = scheduleTimingSchema.safeParse(timing);
  return (parsed.error?.issues ?? []).map(({ path, message }) => `/${path.join('/')}: ${message}.`);
}

describe('A timing', () => {
  it('has exactly one of cron, every, rrule and dates', () => {
    expect(problemsIn({})).toEqual([
      '/: A schedule has exactly one of cron, every, rrule and dates: none of them is there.',
    ]);
    expect(problemsIn({ cron: '@daily', every: { amount: 1, unit: 'days' } })).toEqual([
      '/: A schedule has exactly one of cron, every, rrule and dates: 2 of them are.',
    ]);
  });

  it('refuses members that are unknown', () => {
    expect(problemsIn({ cron: '@daily', timeZone: 'UTC' })).toEqual(['/: Unrecognized key: "timeZone".']);
  });

  it('says what is wrong with each member, where, and what to do', () => {
    const problems = problemsIn({
      dates: ['2026-01-31', '2026-02-30T09:00', 'soon', '2026-01-01T25:00'],
      timezone: 'Mars/Olympus',
      start: '2026-01-01',
      end: '2025-12-31',
      except: ['1969-12-25'],
    });
    expect(problems).toEqual([
      '/timezone: "Mars/Olympus" is no time zone: write a name like Europe/Berlin or UTC.',
      '/end: The end, 2025-12-31, lies before the start, 2026-01-01: nothing would ever fire.',
      '/except/0: "1969-12-25" is out of range: use the years 1970 to 2199.',
      '/dates/1: "2026-02-30T09:00" is a day that the calendar does not have.',
      expect.stringContaining('/dates/2: "soon" is no date and no instant: write 2026-12-25,'),
      '/dates/3: "2026-01-01T25:00" has no such time of day: use 00:00:00 to 23:59:59.',
    ]);
  });

  it('can be extended by members of a trigger, and keeps its checks', () => {
    const extended = scheduleTimingSchema.safeExtend({ catchUp: z.enum(['none', 'last']).optional() });
    expect(extended.safeParse({ cron: '@daily', catchUp: 'last' }).success).toBe(true);
    expect(extended.safeParse({ cron: '61 * * * *', catchUp: 'last' }).error?.issues).toEqual([
      expect.objectContaining({ path: ['cron'], message: expect.stringContaining('"61" is out of range') }),
    ]);
  });

  it('describes each of its members for editors', () => {
    const { properties = {} } = z.toJSONSchema(scheduleTimingSchema, { io: 'input' });
    const silent = Object.entries(properties).filter(
      ([, schema]) => typeof schema === 'object' && (schema.description ?? '').length < 30,
    );
    expect(silent).toEqual([]);
    expect(Object.keys(properties)).toHaveLength(12);
  });

  it('throws what is wrong when it is compiled unseen', () => {
    expect(() => compileSchedule({ cron: '* * *' })).toThrow(InvalidTimingError);
  });
});

describe('A schedule of dates', () => {
  it('takes local times, instants and days, in any order', () => {
    const dates = ['2026-07-01T12:00:00Z', '2026-03-29T02:30', '2026-01-01', '2026-05-05T09:00+09:00'];
    expect(firesOf({ dates, timezone: 'Europe/Berlin' }, '2020-01-01T00:00:00Z')).toEqual([
      '2025-12-31T23:00:00.000Z',
      // 02:30 is left out: the first instant after the gap.
      '2026-03-29T01:00:00.000Z',
      '2026-05-05T00:00:00.000Z',
      '2026-07-01T12:00:00.000Z',
    ]);
  });

  it('ends with the last of them', () => {
    const schedule = compileSchedule({ dates: ['2026-01-01T00:00:00Z'] });
    expect(iso(schedule.next(Date.parse('2025-12-31T23:59:59.999Z')))).toBe('2026-01-01T00:00:00.000Z');
    expect(schedule.next(Date.parse('2026-01-01T00:00:00.000Z'))).toBeNull();
  });
});

describe('Every', () => {
  const every = (amount: number, unit: 'hours' | 'days' | 'weeks' | 'months') => ({
    every: { amount, unit },
  });

  it('of hours is elapsed time, whatever clocks do', () => {
    const timing = { ...every(6, 'hours'), timezone: 'Europe/Berlin', start: '2026-03-28T20:00' };
    expect(firesOf(timing, '2026-01-01T00:00:00Z')).toEqual([
      '2026-03-28T19:00:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-29T07:00:00.000Z',
      '2026-03-29T13:00:00.000Z',
    ]);
  });

  it('of days keeps its time of day over a clock change', () => {
    const timing = { ...every(1, 'days'), timezone: 'Europe/Berlin', start: '2026-03-28T09:00' };
    expect(firesOf(timing, '2026-01-01T00:00:00Z', 3)).toEqual([
      '2026-03-28T08:00:00.000Z',
      '2026-03-29T07:00:00.000Z',
      '2026-03-30T07:00:00.000Z',
    ]);
  });

  it('of months takes the last day of a shorter one, and comes back to its own', () => {
    const timing = { ...every(1, 'months'), start: '2028-01-31T09:00' };
    expect(firesOf(timing, '2028-01-01T00:00:00Z')).toEqual([
      '2028-01-31T09:00:00.000Z',
      '2028-02-29T09:00:00.000Z',
      '2028-03-31T09:00:00.000Z',
      '2028-04-30T09:00:00.000Z',
    ]);
  });

  it('without a start counts from 1970, weeks from a Monday', () => {
    expect(firesOf(every(2, 'weeks'), '2026-11-21T00:00:00Z', 2)).toEqual([
      '2026-11-23T00:00:00.000Z',
      '2026-12-07T00:00:00.000Z',
    ]);
    expect(firesOf(every(7, 'hours'), '1970-01-01T00:00:00Z', 2)).toEqual([
      '1970-01-01T00:00:00.000Z',
      '1970-01-01T07:00:00.000Z',
    ]);
  });
});

describe('Bounds and exceptions', () => {
  const daily = { cron: '0 9 * * *', timezone: 'Europe/Berlin' };

  it('are included: the start, the end, and all of a day that is the end', () => {
    expect(
      firesOf({ ...daily, start: '2026-06-01T09:00', end: '2026-06-02' }, '2026-01-01T00:00:00Z'),
    ).toEqual(['2026-06-01T07:00:00.000Z', '2026-06-02T07:00:00.000Z']);
    expect(
      firesOf({ ...daily, start: '2026-06-01T07:00:01Z', end: '2026-06-02T09:00' }, '2026-01-01T00:00:00Z'),
    ).toEqual(['2026-06-02T07:00:00.000Z']);
  });

  it('leave out days, local times and instants', () => {
    const except = ['2026-06-02', '2026-06-03T09:00', '2026-06-04T07:00:00Z', '2026-06-05T08:00:00Z'];
    expect(firesOf({ ...daily, except }, '2026-06-01T00:00:00Z', 3)).toEqual([
      '2026-06-01T07:00:00.000Z',
      '2026-06-05T07:00:00.000Z',
      '2026-06-06T07:00:00.000Z',
    ]);
  });

  it('leave out a time where a gap has moved it, and at both of its passings', () => {
    const gap = { cron: '30 2 * * *', timezone: 'Europe/Berlin', except: ['2026-03-29T02:30'] };
    expect(firesOf(gap, '2026-03-29T00:00:00Z', 1)).toEqual(['2026-03-30T00:30:00.000Z']);
    const fold = { cron: '*/30 * * * *', timezone: 'Europe/Berlin', except: ['2026-10-25T02:30'] };
    expect(firesOf(fold, '2026-10-25T00:00:00Z', 3)).toEqual([
      '2026-10-25T00:00:00.000Z',
      '2026-10-25T01:00:00.000Z',
      '2026-10-25T02:00:00.000Z',
    ]);
  });

  it('pass over a thousand whole days of seconds at once', () => {
    const except = Array.from({ length: 1_000 }, (_, day) =>
      new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10),
    );
    const schedule = compileSchedule({ cron: '* * * * * *', timezone: 'America/New_York', except });
    expect(iso(schedule.next(Date.parse('2026-01-01T05:00:00Z')))).toBe('2028-09-27T04:00:00.000Z');
  });
});
