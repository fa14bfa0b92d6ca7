import { type Facts, isResult, nodeKey } from '../history/facts';
import type { Call, Write } from '../history/history';
import { type Check, none, told } from './check';
import { spread } from './percentile';

/** A worker whose clock was moved knows the database's time no better than by half a round trip. */
const EARLY_MS = 50;

interface DelaySeen {
  readonly runId: string;
  readonly nodeId: string;
  readonly seconds: number;
  /** The last thing known to have happened before it began. */
  readonly notBeforeMs: number;
  readonly endedAtMs: number;
  /** Null for one that was over before it was recorded. */
  readonly dueAtMs: number | null;
}

function delaysOf(facts: Facts): readonly DelaySeen[] {
  const answered = new Map<string, Call[]>();
  for (const call of facts.history.calls) {
    const key = nodeKey(call.runId, call.nodeId);
    answered.set(key, [...(answered.get(key) ?? []), call]);
  }
  const seen: DelaySeen[] = [];
  for (const run of facts.history.runs) {
    for (const [nodeId, seconds] of Object.entries(facts.expectationOf(run.id)?.delays ?? {})) {
      const writes = facts.nodeWrites.get(nodeKey(run.id, nodeId)) ?? [];
      const end = writes.find(isResult);
      if (end?.status !== 'succeeded') continue;
      const notBeforeMs = beginningOf(facts, { runId: run.id, nodeId, answered });
      seen.push({ runId: run.id, nodeId, seconds, notBeforeMs, endedAtMs: end.atMs, dueAtMs: dueOf(writes) });
    }
  }
  return seen;
}

function dueOf(writes: readonly Write[]): number | null {
  return writes.find(({ status }) => status === 'waiting')?.resumeAtMs ?? null;
}

/** A delay begins after the calls before it came in, and after its run was made. */
function beginningOf(
  facts: Facts,
  node: {
    readonly runId: string;
    readonly nodeId: string;
    readonly answered: ReadonlyMap<string, readonly Call[]>;
  },
): number {
  const after = facts.nodeFactsOf(node.runId, node.nodeId)?.after ?? [];
  const arrivals = after.flatMap((before) => {
    const calls = node.answered.get(nodeKey(node.runId, before)) ?? [];
    const recorded = facts.node.get(nodeKey(node.runId, before))?.number;
    return calls.filter(({ number: given }) => given === recorded).map(({ atMs }) => atMs);
  });
  const asked =
    facts.history.starts.find(({ key }) => key === facts.run.get(node.runId)?.key)?.askedAtMs ?? 0;
  return Math.max(asked, ...arrivals);
}

/** By the database's clock, whatever the workers' clocks say. */
const early: Check = {
  promise: 'R16',
  title: 'delays that ended early',
  kind: 'promise',
  judge: (facts) => {
    const delays = delaysOf(facts);
    const broken = delays.flatMap(({ runId, nodeId, seconds, notBeforeMs, endedAtMs, dueAtMs }) => {
      const earliestMs = notBeforeMs + seconds * 1000;
      const earlyMs = Math.max(earliestMs, dueAtMs ?? 0) - endedAtMs;
      if (earlyMs <= EARLY_MS) return [];
      return [
        { runId, says: `node ${nodeId} ended ${Math.round(earlyMs)} ms before its ${seconds} s were over` },
      ];
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
