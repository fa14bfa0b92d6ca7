import fc from 'fast-check';
import { type CountedStarts, StartWindow } from './start-window';

const NONE: CountedStarts = { slot: 0, starts: [] };

describe('a window of starts', () => {
  it('lets as many pass as the limit says, and then says when to come back', () => {
    const bound = { limit: 3, windowSeconds: 60 };
    expect(new StartWindow(bound, NONE, 1_000.4).room).toBe(3);
    const counted = new StartWindow(bound, NONE, 1_000.4).with(3);
    const full = new StartWindow(bound, counted, 1_010);
    expect(full.room).toBe(0);
    expect(full.retryAfterSeconds).toBe(51);
    expect(new StartWindow(bound, counted, 1_061).room).toBe(3);
    expect(new StartWindow(bound, counted, 1_061).retryAfterSeconds).toBe(0);
  });

  it('waits for as many to pass as are too many after the limit was lowered', () => {
    const first = new StartWindow({ limit: 4, windowSeconds: 60 }, NONE, 1_000).with(2);
    const counted = new StartWindow({ limit: 4, windowSeconds: 60 }, first, 1_030).with(2);
    const lowered = new StartWindow({ limit: 1, windowSeconds: 60 }, counted, 1_030);
    expect([lowered.room, lowered.retryAfterSeconds]).toEqual([0, 61]);
  });

  it('takes the time it is told for no earlier than what was counted', () => {
    const counted = new StartWindow({ limit: 2, windowSeconds: 60 }, NONE, 1_002).with(2);
    const late = new StartWindow({ limit: 2, windowSeconds: 60 }, counted, 1_001);
    expect(late.room).toBe(0);
    expect(late.with(0)).toEqual(counted);
  });

  // Seen to fail with sixty slots kept instead of sixty-one: a start was forgotten a sixtieth too early.
  it('never lets more than the limit pass in any stretch of the window, and none wait a sixtieth longer than that', () => {
    const arrivals = fc.array(
      fc.record({
        // In windows; the narrow band is where a start is about to be forgotten.
        after: fc.oneof(
          fc.double({ min: 0, max: 0.5, noNaN: true }),
          fc.double({ min: 0.98, max: 1.02, noNaN: true }),
        ),
        wanted: fc.integer({ min: 1, max: 5 }),
      }),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(
        arrivals,
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(60, 300),
        (steps, limit, windowSeconds) => {
          let counted = NONE;
          let now = 1_000_000;
          const started: number[] = [];
          for (const { after, wanted } of steps) {
            now += after * windowSeconds;
            const window = new StartWindow({ limit, windowSeconds }, counted, now);
            const granted = Math.min(wanted, window.room);
            counted = window.with(granted);
            for (let index = 0; index < granted; index += 1) started.push(now);
            const within = (seconds: number) => started.filter((at) => at > now - seconds).length;
            expect(within(windowSeconds)).toBeLessThanOrEqual(limit);
            // Whoever is refused is refused for starts that are hardly older than the window.
            expect(granted === wanted || within((windowSeconds * 61) / 60 + 0.001) >= limit).toBe(true);
          }
        },
      ),
    );
  });
});
