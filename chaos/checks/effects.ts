import { type Facts, groupedBy } from '../history/facts';
import type { Call } from '../history/history';
import { frameAt, type Place, placeKey, placeName } from '../history/place';
import { type Check, type Finding, none, told } from './check';

/** The recorder's clock gives whole milliseconds, rounded down. */
const CLOCK_MS = 1;

/**
 * Whether the process that sent a call had the run when the call came. One that cannot be told had gone by then; whoever
 * has the run and lives would have been seen.
 */
function isOwners({ ownership, history }: Facts, { runId, process, atMs }: Call): boolean {
  return (ownership.tenures.get(runId) ?? []).some(({ workerId, fromMs, toMs }) => {
    if (fromMs > atMs + CLOCK_MS || atMs > toMs) return false;
    const owner = ownership.workers.get(workerId)?.process ?? null;
    if (process !== null) return owner === process;
    const endedAtMs = history.processes.find(({ name }) => name === owner)?.endedAtMs ?? Infinity;
    return owner === null || endedAtMs <= atMs + CLOCK_MS;
  });
}

/** The calls of each place, in the order in which they came. */
function callsByPlace({ history: { calls } }: Facts): readonly (readonly Call[])[] {
  return [...groupedBy(calls, placeKey).values()].map((same) =>
    same.toSorted((one, other) => one.atMs - other.atMs),
  );
}

function finding(call: Call, says: string): Finding {
  const who = call.process ?? 'a process that had gone';
  return { runId: call.runId, says: `node ${placeName(call)}: ${says} (by ${who})` };
}

/** Each process that is lost repeats at most what it had in hand. */
const repeats: Check = {
  promise: 'R2',
  title: 'effects repeated, and how many may be',
  kind: 'promise',
  judge: (facts) => {
    const { faults, slots } = facts.history;
    const repeated = callsByPlace(facts).reduce((sum, same) => sum + same.length - 1, 0);
    const allowed = faults.length * slots;
    const share = ((repeated / Math.max(1, facts.history.calls.length)) * 100).toFixed(1);
    const broken =
      repeated <= allowed ? [] : [{ runId: null, says: `${repeated} repeats, ${allowed} allowed` }];
    return {
      broken,
      figure: `${repeated} of ${facts.history.calls.length} calls (${share} %), at most ${allowed}`,
    };
  },
};

/**
 * Whoever claims a run calls a node of it once at most. So the second call of a node comes after the second claim of its
 * run; a call that was on its way for long counts for the claim under which it was sent.
 */
const unexplained: Check = {
  promise: 'R2',
  title: 'repeats although nobody else claimed the run',
  kind: 'promise',
  judge: (facts) => {
    const repeated = callsByPlace(facts).flatMap((same) =>
      same.slice(1).map((call, index) => ({ call, nth: index + 2 })),
    );
    const broken = repeated.flatMap(({ call, nth }) => {
      const claims = (facts.ownership.tenures.get(call.runId) ?? []).filter(
        ({ fromMs }) => fromMs <= call.atMs + CLOCK_MS,
      );
      return claims.length >= nth ? [] : [finding(call, `call ${nth} after ${claims.length} claims`)];
    });
    return none(broken, repeated.length, 'repeats');
  },
};

/** A repeated call is the same call, so that its receiver can tell. */
const different: Check = {
  promise: 'R2',
  title: 'repeats with another key or body',
  kind: 'promise',
  judge: (facts) => {
    const repeated = callsByPlace(facts).filter((same) => same.length > 1);
    const broken = repeated.flatMap(([first, ...others]) =>
      others
        .filter(({ key, bodyHash }) => key === '' || key !== first?.key || bodyHash !== first.bodyHash)
        .map((call) => finding(call, 'the repeat differs from the first call')),
    );
    return none(broken, repeated.length, 'nodes called again');
  },
};

/** One key is one call of one node of one run, in one item of its loops. */
const sharedKeys: Check = {
  promise: 'R2',
  title: 'keys that stand for different calls',
  kind: 'promise',
  judge: ({ history: { calls } }) => {
    const byKey = [...groupedBy(calls, ({ key }) => key).values()];
    const broken = byKey.flatMap(([first, ...others]) =>
      others
        .filter((call) => first && placeKey(call) !== placeKey(first))
        .map((call) => finding(call, `key ${call.key} was used by another node before`)),
    );
    return none(broken, byKey.length, 'keys');
  },
};

/** Once a result is recorded, whoever has the run does not execute the node again. */
const executedAgain: Check = {
  promise: 'R2',
  title: 'completed nodes executed again',
  kind: 'promise',
  judge: (facts) => {
    const late = callsAfterRecord(facts).filter((call) => isOwners(facts, call));
    return none(
      late.map((call) => finding(call, 'called after its result was recorded')),
      facts.history.nodes.length,
      'nodes',
    );
  },
};

function callsAfterRecord({ history: { calls }, recordedAtMs }: Facts): readonly Call[] {
  return calls.filter((call) => {
    const recorded = recordedAtMs(call);
    return recorded !== null && call.atMs > recorded;
  });
}

/**
 * What an effect depends on is committed before it begins: the results of what precedes it, of all items where that is a
 * loop; and the beginning of each loop around it, with the items.
 */
const tooSoon: Check = {
  promise: 'R2',
  title: 'effects before what they depend on was recorded',
  kind: 'promise',
  judge: (facts) => {
    const { calls } = facts.history;
    const broken = calls.flatMap((call) => {
      const missing = missingFor(facts, call);
      return missing === null ? [] : [finding(call, `called before ${missing} was recorded`)];
    });
    return none(broken, calls.length, 'calls');
  },
};

function missingFor(facts: Facts, call: Call): string | null {
  const { after = [], loops = [] } = facts.nodeFactsOf(call) ?? {};
  const isLater = (writtenMs: number | null) => writtenMs === null || writtenMs > call.atMs + CLOCK_MS;
  const before = after.flatMap((nodeId) => facts.placesOf(nodeId, call));
  const result = before.find((place) => isLater(facts.recordedAtMs(place)));
  if (result) return `the result of ${placeName(result)}`;
  const around = loops.map((nodeId, depth): Place => ({
    runId: call.runId,
    nodeId,
    iteration: frameAt(depth, call.iteration),
  }));
  const loop = around.find((place) => isLater(facts.begunAtMs(place)));
  return loop ? `the beginning of ${placeName(loop)}` : null;
}

const strangers: Check = {
  promise: 'R2',
  title: 'effects of runs that are not there',
  kind: 'promise',
  judge: ({ history: { calls }, run }) => {
    const broken = calls.filter(({ runId }) => !run.has(runId)).map((call) => finding(call, 'no such run'));
    return none(broken, calls.length, 'calls');
  },
};

/** What must not be repeated without asking is never sent twice, whoever sends it. */
const unsafe: Check = {
  promise: 'R2',
  title: 'effects of unsafe nodes doubled',
  kind: 'promise',
  judge: (facts) => {
    const calls = callsByPlace(facts).filter(([first]) => first && facts.nodeFactsOf(first)?.unsafe);
    const broken = calls.flatMap(([, second]) =>
      second ? [finding(second, 'an unsafe node was called again')] : [],
    );
    return none(broken, calls.length, 'unsafe nodes called');
  },
};

/** A process that was frozen may have been about to send: no fence in our database reaches that far. */
const late: Check = {
  promise: 'R4',
  title: 'calls sent by a worker that had lost the run',
  kind: 'figure',
  judge: (facts) => {
    const zombies = facts.history.calls.filter((call) => !isOwners(facts, call));
    const afterRecord = new Set(callsAfterRecord(facts));
    const recorded = zombies.filter((call) => afterRecord.has(call)).length;
    return told(
      `${zombies.length} of ${facts.history.calls.length} calls, ${recorded} after the result was recorded`,
    );
  },
};

export const effectChecks: readonly Check[] = [
  repeats,
  unexplained,
  different,
  sharedKeys,
  executedAgain,
  tooSoon,
  strangers,
  unsafe,
  late,
];
