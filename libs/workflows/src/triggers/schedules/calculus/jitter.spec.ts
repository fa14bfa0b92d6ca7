import { jitterMs } from './jitter';

describe('Jitter', () => {
  const due = Date.parse('2026-06-01T09:00:00Z');
  const ofMany = Array.from({ length: 1_000 }, (_, index) => jitterMs(`schedule-${index}`, due, 60));

  it('is the same whoever asks, and another one for each schedule and due time', () => {
    expect(jitterMs('schedule-1', due, 60)).toBe(ofMany[1]);
    expect(jitterMs('schedule-1', due + 1000, 60)).not.toBe(ofMany[1]);
    expect(new Set(ofMany).size).toBeGreaterThan(980);
  });

  it('spreads schedules over what it may be, and no farther', () => {
    expect(ofMany.filter((ms) => !Number.isInteger(ms) || ms < 0 || ms >= 60_000)).toEqual([]);
    const perQuarter = [0, 1, 2, 3].map(
      (part) => ofMany.filter((ms) => Math.floor(ms / 15_000) === part).length,
    );
    expect(Math.min(...perQuarter)).toBeGreaterThan(200);
    expect(jitterMs('schedule-1', due, 0)).toBe(0);
  });
});
