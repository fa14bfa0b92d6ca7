import { PinnedClock } from '#platform/testing';
import { previewSchedule } from './schedule-preview';
import { schedulePreviewBody } from './schedule-preview.dto';

const now = new Date('2026-03-28T12:00:00Z');

/** A clock on which a second passes with each look. */
class HastyClock extends PinnedClock {
  #looks = 0;

  override monotonicMs(): number {
    this.#looks += 1;
    return this.#looks * 100;
  }
}

function preview(body: unknown, clock = new PinnedClock(now)) {
  return previewSchedule(schedulePreviewBody.parse(body), clock);
}

describe('A preview', () => {
  it('begins now, with ten fires', () => {
    const { fires, exhausted } = preview({ cron: '0 12 * * *' });
    expect(fires).toHaveLength(10);
    expect(fires[0]).toEqual({ at: '2026-03-28T12:00:00.000Z', local: '2026-03-28T12:00:00+00:00' });
    expect(exhausted).toBeUndefined();
  });

  it('says which time is left out when clocks are set forward', () => {
    const { fires } = preview({ cron: '30 2 * * *', timezone: 'Europe/Berlin', count: 2 });
    expect(fires).toEqual([
      {
        at: '2026-03-29T01:00:00.000Z',
        local: '2026-03-29T03:00:00+02:00',
        change: 'moved',
        note: 'Clocks are set forward: 2026-03-29 02:30:00 is left out.',
      },
      { at: '2026-03-30T00:30:00.000Z', local: '2026-03-30T02:30:00+02:00' },
    ]);
    const shifted = preview({ cron: '40 2 * * *', timezone: 'Europe/Berlin', gap: 'shift', count: 1 });
    expect(shifted.fires).toEqual([
      expect.objectContaining({
        local: '2026-03-29T03:40:00+02:00',
        note: 'Clocks are set forward: 2026-03-29 02:40:00 is left out.',
      }),
    ]);
  });

  it('says which passing it is when clocks are set back', () => {
    const body = {
      cron: '*/30 * * * *',
      timezone: 'Australia/Lord_Howe',
      from: '2026-04-05T01:30',
      count: 4,
    };
    expect(preview(body).fires.map(({ local, change = 'none' }) => `${local} ${change}`)).toEqual([
      '2026-04-05T01:30:00+11:00 first_pass',
      '2026-04-05T01:30:00+10:30 second_pass',
      '2026-04-05T02:00:00+10:30 none',
      '2026-04-05T02:30:00+10:30 none',
    ]);
  });

  it('notes nothing of a regular time at the very end of a gap', () => {
    const { fires } = preview({ cron: '0 3 * * *', timezone: 'Europe/Berlin', count: 1 });
    expect(fires).toEqual([{ at: '2026-03-29T01:00:00.000Z', local: '2026-03-29T03:00:00+02:00' }]);
  });

  it('is exhausted when there are no more', () => {
    const dates = ['2026-03-27T09:00', '2026-03-29T02:15', '2026-05-01T09:00:00Z'];
    expect(preview({ dates, timezone: 'Europe/Berlin' })).toEqual({
      fires: [
        expect.objectContaining({ local: '2026-03-29T03:00:00+02:00', change: 'moved' }),
        { at: '2026-05-01T09:00:00.000Z', local: '2026-05-01T11:00:00+02:00' },
      ],
      exhausted: true,
    });
    expect(preview({ cron: '0 0 31 2 *' })).toEqual({ fires: [], exhausted: true });
  });

  it('stops when it takes too long', () => {
    const { fires, exhausted } = preview({ cron: '* * * * * *', count: 1_000 }, new HastyClock(now));
    expect(fires).toHaveLength(5);
    expect(exhausted).toBeUndefined();
  });

  it('gives a thousand at most', () => {
    expect(preview({ cron: '* * * * * *', count: 1_000 }).fires).toHaveLength(1_000);
    expect(schedulePreviewBody.safeParse({ cron: '@daily', count: 1_001 }).success).toBe(false);
  });
});
