import * as fc from 'fast-check';
import {
  decide,
  type Decision,
  type Occurrence,
  type SchedulePolicies,
  type ScheduleStanding,
} from './decide';
import type { Timetable } from './pending';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Due at every multiple of so many milliseconds, until an end. */
function every(periodMs: number, endMs = Infinity): Timetable {
  return {
    next: (afterMs) => {
      const next = (Math.floor(afterMs / periodMs) + 1) * periodMs;
      return next > endMs ? null : next;
    },
    fireMs: (dueMs) => dueMs,
  };
}

const PLAIN: SchedulePolicies = {
  catchUp: 'last',
  catchUpMax: 100,
  overlap: 'allow',
  autoPauseAfter: null,
  maxRuns: null,
};

function standing(given: Partial<ScheduleStanding>): ScheduleStanding {
  return { nowMs: 0, dueMs: null, waitingMs: null, fires: 0, live: false, failuresInARow: 0, ...given };
}

const kinds = ({ occurrences }: Decision) =>
  occurrences.map(({ kind, dueMs }) => `${kind} ${dueMs / MINUTE}`);

describe('decide', () => {
  const hourly = every(HOUR);

  it('starts what is due, and moves on', () => {
    const decision = decide(hourly, PLAIN, standing({ nowMs: HOUR + 200, dueMs: HOUR }));
    expect(decision).toEqual({
      occurrences: [{ kind: 'start', dueMs: HOUR, late: false }],
      nextDueMs: 2 * HOUR,
      waitingMs: null,
      pause: false,
    });
  });

  it('does nothing before the time, its jitter included', () => {
    const late: Timetable = { ...hourly, fireMs: (dueMs) => dueMs + 5 * MINUTE };
    expect(decide(late, PLAIN, standing({ nowMs: HOUR + 4 * MINUTE, dueMs: HOUR }))).toMatchObject({
      occurrences: [],
      nextDueMs: HOUR,
    });
    expect(decide(late, PLAIN, standing({ nowMs: HOUR + 5 * MINUTE, dueMs: HOUR })).occurrences).toHaveLength(
      1,
    );
  });

  it('fires what was announced although the rules of its zone say something else by now', () => {
    const announced = standing({ nowMs: HOUR + MINUTE, dueMs: HOUR + MINUTE });
    expect(kinds(decide(hourly, PLAIN, announced))).toEqual(['start 61']);
  });

  describe('after a downtime', () => {
    const after = standing({ nowMs: 5 * HOUR + 10 * MINUTE, dueMs: 2 * HOUR });

    it('fires the last, all, or none of what was missed, and keeps what it has not fired', () => {
      expect(kinds(decide(hourly, PLAIN, after))).toEqual(['missed 120', 'start 300']);
      expect(kinds(decide(hourly, { ...PLAIN, catchUp: 'all' }, after))).toEqual([
        'start 120',
        'start 180',
        'start 240',
        'start 300',
      ]);
      expect(kinds(decide(hourly, { ...PLAIN, catchUp: 'none' }, after))).toEqual(['missed 120']);
      expect(kinds(decide(hourly, { ...PLAIN, catchUp: 'all', catchUpMax: 2 }, after))).toEqual([
        'missed 120',
        'start 240',
        'start 300',
      ]);
    });

    it('says how many it has missed, and until when', () => {
      expect(decide(hourly, PLAIN, after).occurrences[0]).toEqual({
        kind: 'missed',
        dueMs: 2 * HOUR,
        untilMs: 4 * HOUR,
        occurrences: 3,
      });
    });

    it('fires what is due within the last minute under every policy', () => {
      const now = standing({ nowMs: 5 * HOUR + 59_000, dueMs: 2 * HOUR });
      for (const catchUp of ['none', 'last'] as const) {
        expect(kinds(decide(hourly, { ...PLAIN, catchUp }, now))).toEqual(['missed 120', 'start 300']);
      }
    });

    it('takes a long catch-up in parts, and leaves nothing out between them', () => {
      let current = standing({ nowMs: 55 * HOUR + 10 * MINUTE, dueMs: HOUR });
      const fired: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        const { occurrences, nextDueMs } = decide(hourly, { ...PLAIN, catchUp: 'all' }, current);
        fired.push(...occurrences.map(({ dueMs }) => dueMs / HOUR));
        current = { ...current, dueMs: nextDueMs };
      }
      expect(fired).toEqual(Array.from({ length: 55 }, (_, index) => index + 1));
      expect(current.dueMs).toBe(56 * HOUR);
    });

    it('counts no further than it must for a schedule of seconds that was down for months', () => {
      const { occurrences, nextDueMs } = decide(
        every(1_000),
        { ...PLAIN, catchUp: 'all', catchUpMax: 1_000 },
        standing({ nowMs: 5_000 * HOUR, dueMs: 1_000 }),
      );
      expect(occurrences[0]).toMatchObject({ kind: 'missed', dueMs: 1_000, occurrences: null });
      const starts = occurrences.filter(({ kind }) => kind === 'start');
      expect(starts[0]?.dueMs).toBe(5_000 * HOUR - 999_000);
      expect(nextDueMs).toBe((starts.at(-1)?.dueMs ?? 0) + 1_000);
    });
  });

  describe('while a run is not over', () => {
    const busy = standing({ nowMs: HOUR, dueMs: HOUR, live: true });

    it('starts beside it, skips, waits, or takes its place', () => {
      const withOverlap = (overlap: SchedulePolicies['overlap']) =>
        decide(hourly, { ...PLAIN, overlap }, busy).occurrences;
      expect(withOverlap('allow')).toMatchObject([{ kind: 'start' }]);
      expect(withOverlap('skip')).toEqual([{ kind: 'skip', dueMs: HOUR, reason: 'run_not_over' }]);
      expect(withOverlap('queue_one')).toEqual([{ kind: 'wait', dueMs: HOUR }]);
      expect(withOverlap('cancel_running')).toMatchObject([{ kind: 'start' }]);
    });

    it('lets one wait at most, and starts it when the run is over', () => {
      const policies: SchedulePolicies = { ...PLAIN, overlap: 'queue_one' };
      const waiting = { ...busy, nowMs: 2 * HOUR, dueMs: 2 * HOUR, waitingMs: HOUR };
      expect(decide(hourly, policies, waiting)).toMatchObject({
        occurrences: [{ kind: 'skip', dueMs: 2 * HOUR, reason: 'one_waits_already' }],
        waitingMs: HOUR,
      });
      expect(
        decide(hourly, policies, standing({ nowMs: 2 * HOUR - 1, dueMs: 2 * HOUR, waitingMs: HOUR })),
      ).toEqual({
        occurrences: [{ kind: 'start', dueMs: HOUR, late: true }],
        nextDueMs: 2 * HOUR,
        waitingMs: null,
        pause: false,
      });
    });

    it('starts one run of several that are due together', () => {
      const together = standing({ nowMs: 3 * HOUR + 5 * MINUTE, dueMs: HOUR });
      const starts = (overlap: SchedulePolicies['overlap']) =>
        kinds(decide(hourly, { ...PLAIN, catchUp: 'all', overlap }, together));
      expect(starts('skip')).toEqual(['start 60', 'skip 120', 'skip 180']);
      expect(starts('queue_one')).toEqual(['start 60', 'wait 120', 'skip 180']);
      expect(starts('cancel_running')).toEqual(['skip 60', 'skip 120', 'start 180']);
    });
  });

  it('ends after its last run, and counts one that waits', () => {
    const policies: SchedulePolicies = { ...PLAIN, maxRuns: 3, overlap: 'queue_one' };
    const at = (fires: number, given: Partial<ScheduleStanding> = {}) =>
      decide(hourly, policies, standing({ nowMs: HOUR, dueMs: HOUR, fires, ...given }));
    expect(at(1).nextDueMs).toBe(2 * HOUR);
    expect(at(2)).toMatchObject({ occurrences: [{ kind: 'start' }], nextDueMs: null });
    expect(at(3)).toMatchObject({ occurrences: [], nextDueMs: null });
    expect(at(2, { live: true })).toMatchObject({
      occurrences: [{ kind: 'wait' }],
      nextDueMs: null,
      waitingMs: HOUR,
    });
    expect(at(2, { waitingMs: 30 * MINUTE, dueMs: null })).toMatchObject({
      occurrences: [{ kind: 'start', dueMs: 30 * MINUTE }],
      waitingMs: null,
    });
  });

  it('pauses itself after failures in a row, and tells of what had waited', () => {
    const policies: SchedulePolicies = { ...PLAIN, autoPauseAfter: 3 };
    const failed = (failuresInARow: number, waitingMs: number | null = null) =>
      decide(hourly, policies, standing({ nowMs: HOUR, dueMs: HOUR, failuresInARow, waitingMs }));
    expect(failed(2).pause).toBe(false);
    expect(failed(3)).toEqual({ occurrences: [], nextDueMs: null, waitingMs: null, pause: true });
    expect(failed(4, 7).occurrences).toEqual([{ kind: 'skip', dueMs: 7, reason: 'schedule_paused' }]);
  });

  it('forgets no occurrence and tells of none twice, however it is asked', () => {
    const policies = fc.record({
      catchUp: fc.constantFrom('none', 'last', 'all'),
      catchUpMax: fc.integer({ min: 1, max: 40 }),
      overlap: fc.constantFrom('allow', 'skip', 'queue_one', 'cancel_running'),
      autoPauseAfter: fc.constant(null),
      maxRuns: fc.constant(null),
    });
    const rounds = fc.array(
      fc.record({ stepMs: fc.integer({ min: 0, max: 2 * HOUR }), live: fc.boolean() }),
      {
        minLength: 1,
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(policies, rounds, fc.integer({ min: 1, max: 3_600 }), (policy, steps, periodSeconds) => {
        const timetable = every(periodSeconds * 1_000);
        let current = standing({ dueMs: timetable.next(0) });
        const first = current.dueMs ?? 0;
        const told: Occurrence[] = [];
        for (const { stepMs, live } of steps) {
          current = { ...current, nowMs: current.nowMs + stepMs, live };
          const { occurrences, nextDueMs, waitingMs } = decide(timetable, policy, current);
          told.push(...occurrences);
          current = { ...current, dueMs: nextDueMs, waitingMs };
        }
        const ended = told.filter(({ kind }) => kind !== 'wait');
        const covered = ended.flatMap((one) => {
          if (one.kind !== 'missed') return [one.dueMs];
          const within: number[] = [];
          for (let due = one.dueMs; due <= one.untilMs; due += periodSeconds * 1_000) within.push(due);
          expect(one.occurrences ?? within.length).toBe(within.length);
          return within;
        });
        if (current.waitingMs !== null) covered.push(current.waitingMs);
        const expected: number[] = [];
        for (let due = first; due < (current.dueMs ?? 0); due += periodSeconds * 1_000) expected.push(due);
        expect(covered.toSorted((one, other) => one - other)).toEqual(expected);
        for (const one of told) expect(one.dueMs).toBeLessThanOrEqual(current.nowMs);
      }),
      { numRuns: 300 },
    );
  });
});
