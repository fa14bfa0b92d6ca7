import { type Facts, groupedBy, nodeKey } from '../history/facts';
import type { Call } from '../history/history';
import { type Check, type Finding, none, told } from './check';

/** The recorder's clock gives whole milliseconds, rounded down. */
const CLOCK_MS = 1;

/** Whether the process that sent a call had the run when the call came. Unknown senders are believed to. */
function isOwners({ ownership }: Facts, { runId, process, atMs }: Call): boolean {
  if (process === null) return true;
  return (ownership.tenures.get(runId) ?? []).some(
    ({ workerId, fromMs, toMs }) =>
      fromMs <= atMs + CLOCK_MS && atMs <= toMs && ownership.workers.get(workerId)?.process === process,
  );
}

/** The calls of each node of each run, in the order in which they came. */
function callsByNode({ history: { calls } }: Facts): readonly (readonly Call[])[] {
  return [...groupedBy(calls, ({ runId, nodeId }) => nodeKey(runId, nodeId)).values()].map((same) =>
    same.toSorted((one, other) => one.atMs - other.atMs),
  );
}

function finding({ runId, nodeId, process }: Call, says: string): Finding {
  return { runId, says: `node ${nodeId}: ${says} (by ${process ?? 'a process that had gone'})` };
}

/** Each process that is lost repeats at most what it had in hand. */
const repeats: Check = {
  promise: 'R2',
  title: 'effects repeated, and how many may be',
  kind: 'promise',
  judge: (facts) => {
    const { faults, slots } = facts.history;
    const repeated = callsByNode(facts).reduce((sum, same) => sum + same.length - 1, 0);
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
    const repeated = callsByNode(facts).flatMap((same) =>
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
    const repeated = callsByNode(facts).filter((same) => same.length > 1);
    const broken = repeated.flatMap(([first, ...others]) =>
      others
        .filter(({ key, bodyHash }) => key === '' || key !== first?.key || bodyHash !== first.bodyHash)
        .map((call) => finding(call, 'the repeat differs from the first call')),
    );
    return none(broken, repeated.length, 'nodes called again');
  },
};

/** One key is one call of one node of one run. */
const sharedKeys: Check = {
  promise: 'R2',
  title: 'keys that stand for different calls',
  kind: 'promise',
  judge: ({ history: { calls } }) => {
    const byKey = [...groupedBy(calls, ({ key }) => key).values()];
    const broken = byKey.flatMap(([first, ...others]) =>
      others
        .filter(({ runId, nodeId }) => runId !== first?.runId || nodeId !== first.nodeId)
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
  return calls.filter(({ runId, nodeId, atMs }) => {
    const recorded = recordedAtMs(runId, nodeId);
    return recorded !== null && atMs > recorded;
  });
}

/** What an effect depends on is committed before it begins. */
const tooSoon: Check = {
  promise: 'R2',
  title: 'effects before what they depend on was recorded',
  kind: 'promise',
  judge: (facts) => {
    const { calls } = facts.history;
    const broken = calls.flatMap((call) => {
      const after = facts.nodeFactsOf(call.runId, call.nodeId)?.after ?? [];
      const missing = after.find((nodeId) => {
        const recorded = facts.recordedAtMs(call.runId, nodeId);
        return recorded === null || recorded > call.atMs + CLOCK_MS;
      });
      return missing === undefined
        ? []
        : [finding(call, `called before the result of ${missing} was recorded`)];
    });
    return none(broken, calls.length, 'calls');
  },
};

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
    const calls = callsByNode(facts).filter(
      ([first]) => first && facts.nodeFactsOf(first.runId, first.nodeId)?.unsafe,
    );
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
