import { type Facts, groupedBy, isResult } from '../history/facts';
import type { Call, Write } from '../history/history';
import { type Place, placeKey, placeName, placeNamed } from '../history/place';
import { type Check, none, told } from './check';
import { spread } from './percentile';

/** A worker whose clock was moved knows the database's time no better than by half a round trip. */
const EARLY_MS = 50;

interface DelaySeen extends Place {
  readonly seconds: number;
  /** The last thing known to have happened before it began. */
  readonly notBeforeMs: number;
  readonly endedAtMs: number;
  /** Null for one that was over before it was recorded. */
  readonly dueAtMs: number | null;
}

function delaysOf(facts: Facts): readonly DelaySeen[] {
  const calls = groupedBy(facts.history.calls, placeKey);
  const seen: DelaySeen[] = [];
  for (const run of facts.history.runs) {
    for (const [name, seconds] of Object.entries(facts.expectationOf(run.id)?.delays ?? {})) {
      const place = placeNamed(run.id, name);
      const writes = facts.nodeWrites.get(placeKey(place)) ?? [];
      const end = writes.find(isResult);
      if (end?.status !== 'succeeded') continue;
      const notBeforeMs = beginningOf(facts, place, calls);
      seen.push({ ...place, seconds, notBeforeMs, endedAtMs: end.atMs, dueAtMs: dueOf(writes) });
    }
  }
  return seen;
}

function dueOf(writes: readonly Write[]): number | null {
  return writes.find(({ status }) => status === 'waiting')?.resumeAtMs ?? null;
}

/** A delay begins after the calls before it came in, and after its run was asked for. */
function beginningOf(facts: Facts, delay: Place, calls: ReadonlyMap<string, readonly Call[]>): number {
  const before = (facts.nodeFactsOf(delay)?.after ?? []).flatMap((nodeId) => facts.placesOf(nodeId, delay));
  const arrivals = before.flatMap((place) => {
    const recorded = facts.node.get(placeKey(place))?.number;
    const answered = (calls.get(placeKey(place)) ?? []).filter(({ number }) => number === recorded);
    return answered.map(({ atMs }) => atMs);
  });
  return Math.max(facts.startOf(delay.runId)?.askedAtMs ?? 0, ...arrivals);
}

/** By the database's clock, whatever the workers' clocks say. */
const early: Check = {
  promise: 'R16',
  title: 'delays that ended early',
  kind: 'promise',
  judge: (facts) => {
    const delays = delaysOf(facts);
    const broken = delays.flatMap((delay) => {
      const { runId, seconds, notBeforeMs, endedAtMs, dueAtMs } = delay;
      const earliestMs = notBeforeMs + seconds * 1000;
      const earlyMs = Math.max(earliestMs, dueAtMs ?? 0) - endedAtMs;
      if (earlyMs <= EARLY_MS) return [];
      const says = `node ${placeName(delay)} ended ${Math.round(earlyMs)} ms before its ${seconds} s were over`;
      return [{ runId, says }];
    });
    return none(broken, delays.length, 'delays');
  },
};

/** Faults included: a delay cannot end while the database is away, nor before a dead worker's lease has run out. */
const lateness: Check = {
  promise: 'R16',
  title: 'how late delays ended, faults included',
  kind: 'figure',
  judge: (facts) =>
    told(
      spread(
        delaysOf(facts).flatMap(({ dueAtMs, endedAtMs }) =>
          dueAtMs === null ? [] : [Math.max(0, endedAtMs - dueAtMs)],
        ),
      ),
    ),
};

export const timeChecks: readonly Check[] = [early, lateness];
