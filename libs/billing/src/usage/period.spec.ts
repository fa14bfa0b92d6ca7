import * as fc from 'fast-check';
import { monthlyPeriod } from './period';

const DAY_MS = 86_400_000;
const instant = fc.date({
  min: new Date('2000-01-01T00:00:00Z'),
  max: new Date('2100-01-01T00:00:00Z'),
  noInvalidDate: true,
});

const isoPeriod = (anchor: string, at: string) => {
  const { start, end } = monthlyPeriod(new Date(anchor), new Date(at));
  return [start.toISOString(), end.toISOString()];
};

describe('monthlyPeriod', () => {
  it.each([
    ['2026-01-15T08:00:00Z', '2026-01-15T08:00:00Z', '2026-01-15T08:00:00.000Z', '2026-02-15T08:00:00.000Z'],
    ['2026-01-15T08:00:00Z', '2026-02-15T07:59:59Z', '2026-01-15T08:00:00.000Z', '2026-02-15T08:00:00.000Z'],
    ['2026-01-15T08:00:00Z', '2026-02-15T08:00:00Z', '2026-02-15T08:00:00.000Z', '2026-03-15T08:00:00.000Z'],
    ['2026-01-31T00:00:00Z', '2026-02-10T00:00:00Z', '2026-01-31T00:00:00.000Z', '2026-02-28T00:00:00.000Z'],
    ['2026-01-31T00:00:00Z', '2026-03-01T00:00:00Z', '2026-02-28T00:00:00.000Z', '2026-03-31T00:00:00.000Z'],
    ['2026-01-31T00:00:00Z', '2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z', '2028-03-31T00:00:00.000Z'],
    ['2024-02-29T12:00:00Z', '2025-03-01T00:00:00Z', '2025-02-28T12:00:00.000Z', '2025-03-29T12:00:00.000Z'],
    ['2026-01-30T00:00:00Z', '2026-12-30T00:00:00Z', '2026-12-30T00:00:00.000Z', '2027-01-30T00:00:00.000Z'],
    ['2026-05-31T10:00:00Z', '2026-05-31T09:59:59Z', '2026-04-30T10:00:00.000Z', '2026-05-31T10:00:00.000Z'],
  ])('anchored at %s gives for %s [%s, %s)', (anchor, at, ...expected) => {
    expect(isoPeriod(anchor, at)).toEqual(expected);
  });

  it('holds the instant it was asked for', () => {
    fc.assert(
      fc.property(instant, instant, (anchor, at) => {
        const { start, end } = monthlyPeriod(anchor, at);
        expect(start.getTime()).toBeLessThanOrEqual(at.getTime());
        expect(end.getTime()).toBeGreaterThan(at.getTime());
      }),
    );
  });

  it('leaves no gap and no overlap: where one ends the next begins', () => {
    fc.assert(
      fc.property(instant, instant, (anchor, at) => {
        const period = monthlyPeriod(anchor, at);
        expect(monthlyPeriod(anchor, period.start)).toEqual(period);
        expect(monthlyPeriod(anchor, period.end).start).toEqual(period.end);
        expect(monthlyPeriod(anchor, new Date(period.start.getTime() - 1)).end).toEqual(period.start);
      }),
    );
  });

  it("begins on the anchor's day or the month's last one, at the anchor's time of day", () => {
    fc.assert(
      fc.property(instant, instant, (anchor, at) => {
        const { start } = monthlyPeriod(anchor, at);
        const daysInMonth = new Date(
          Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 0),
        ).getUTCDate();
        expect(start.getUTCDate()).toBe(Math.min(anchor.getUTCDate(), daysInMonth));
        expect(start.getTime() % DAY_MS).toBe(anchor.getTime() % DAY_MS);
      }),
    );
  });

  it('lasts 28 to 31 days, which the table and the statement that takes runs rely on', () => {
    fc.assert(
      fc.property(instant, instant, (anchor, at) => {
        const { start, end } = monthlyPeriod(anchor, at);
        const days = (end.getTime() - start.getTime()) / DAY_MS;
        expect(days).toBeGreaterThanOrEqual(28);
        expect(days).toBeLessThanOrEqual(31);
      }),
    );
  });
});
