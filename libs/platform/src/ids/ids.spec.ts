import { PinnedClock } from '#platform/testing';
import { isUuid, UuidV7Ids } from './ids';
import { SystemRandom } from './random';

describe('UUIDv7 ids', () => {
  const make = (now: string) => {
    const clock = new PinnedClock(now);
    return { clock, ids: new UuidV7Ids(clock, new SystemRandom()) };
  };

  it('begin with the millisecond of their making, and say their version and variant', () => {
    const { ids } = make('2026-11-01T00:00:00.000Z');
    const id = ids.next();
    expect(isUuid(id)).toBe(true);
    expect(id.slice(0, 13)).toBe('01a19467-e800');
    expect(id[14]).toBe('7');
    expect('89ab').toContain(id[19]);
  });

  it('go up, however many are made in one millisecond', () => {
    const { ids } = make('2026-11-01T00:00:00.000Z');
    const made = Array.from({ length: 20_000 }, () => ids.next());
    expect(made.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(made);
    expect(new Set(made).size).toBe(made.length);
  });

  it('go up when the host’s clock is set back', () => {
    const { clock, ids } = make('2026-11-01T00:00:10.000Z');
    const before = ids.next();
    clock.advance(-10_000);
    expect(ids.next() > before).toBe(true);
  });
});
