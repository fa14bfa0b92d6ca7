import { expiryOf, instantOf, leastId, periodOf, periodsToCome } from './periods';

describe('the periods of a retention class', () => {
  const thursday = new Date('2026-11-19T23:59:59.999Z');

  it.each([
    [1, '2026-11-19', '2026-11-20'],
    [2, '2026-11-19', '2026-11-20'],
    [3, '2026-11-16', '2026-11-23'],
    [30, '2026-11-16', '2026-11-23'],
    [45, '2026-11-16', '2026-11-23'],
    [46, '2026-11-01', '2026-12-01'],
    [365, '2026-11-01', '2026-12-01'],
  ])('of %i days: %s to %s', (days, from, to) => {
    expect(periodOf(days, thursday)).toEqual({ from: new Date(from), to: new Date(to) });
  });

  it('begin where the last one ended, over the end of the year', () => {
    for (const days of [1, 30, 365]) {
      const periods = periodsToCome(days, new Date('2026-12-30T12:00:00Z'));
      expect(periods.slice(1).map(({ from }) => from)).toEqual(periods.slice(0, -1).map(({ to }) => to));
      expect(periods.length).toBeGreaterThan(2);
    }
  });

  it('hold an instant that is their first one', () => {
    const from = new Date('2026-11-16T00:00:00Z');
    expect(periodOf(30, from).from).toEqual(from);
  });

  it('are bounded by the least id of an instant, which tells it again', () => {
    expect(leastId(new Date(0))).toBe('00000000-0000-0000-0000-000000000000');
    expect(leastId(new Date('2026-11-01T00:00:00Z'))).toBe('01a19467-e800-0000-0000-000000000000');
    expect(instantOf(leastId(thursday))).toEqual(thursday);
  });

  it('expire by their days', () => {
    expect(expiryOf(30, thursday)).toEqual(new Date('2026-10-20T23:59:59.999Z'));
  });
});
