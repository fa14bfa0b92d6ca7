import { retryAfterSeconds } from './retry-after';

const now = new Date('2026-03-01T12:00:00Z');

function waitFor(retryAfter: string | undefined, date?: string): number | null {
  const pairs: [string, string[]][] = [];
  if (retryAfter !== undefined) pairs.push(['retry-after', [retryAfter]]);
  if (date !== undefined) pairs.push(['date', [date]]);
  return retryAfterSeconds(new Map(pairs), now);
}

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['120', 120],
    [' 7 ', 7],
    ['604800', 604_800],
    ['604801', 604_800],
    ['9'.repeat(400), 604_800],
  ])('in seconds, %j, is %i', (value, seconds) => {
    expect(waitFor(value)).toBe(seconds);
  });

  it.each([
    'Sun, 01 Mar 2026 12:01:30 GMT',
    'Sunday, 01-Mar-26 12:01:30 GMT',
    'Sun Mar  1 12:01:30 2026',
    'Sun Mar 01 12:01:30 2026',
  ])('as the date %j counts from now', (value) => {
    expect(waitFor(value)).toBe(90);
  });

  it('as a date counts from the clock of the server where it tells', () => {
    expect(waitFor('Sun, 01 Mar 2026 08:00:10 GMT', 'Sun, 01 Mar 2026 08:00:00 GMT')).toBe(10);
    expect(waitFor('Sun, 01 Mar 2026 12:00:10 GMT', 'yesterday')).toBe(10);
  });

  it('is never before now and never more than a week', () => {
    expect(waitFor('Sun, 01 Mar 2026 11:00:00 GMT')).toBe(0);
    expect(waitFor('Sun, 01 Mar 2099 11:00:00 GMT')).toBe(604_800);
  });

  it.each([
    undefined,
    '',
    '-1',
    '1.5',
    '1e3',
    '0x10',
    '١٢',
    'soon',
    '2026-03-01T12:01:30Z',
    'Sun, 31 Feb 2026 12:01:30 GMT',
    'Sun, 01 Foo 2026 12:01:30 GMT',
    'Sun, 01 Mar 2026 25:01:30 GMT',
    'Sun, 01 Mar 2026 12:61:30 GMT',
    'Sun, 01 Mar 2026 12:01:30 PST',
    'Sun, 1 Mar 2026 12:01:30 GMT',
    'Sun, 01 Mar 2026 12:01:30 GMT and more',
  ])('that nobody can read, %j, is ignored', (value) => {
    expect(waitFor(value)).toBeNull();
  });
});
