import { type Facts, isResult } from '../history/facts';
import type { RunRow } from '../history/history';
import { placeKey, placeName } from '../history/place';
import { type Check, type Finding, none } from './check';

/** Each run that a run was to call is there once it has succeeded, and is the one that its node tells. */
const missing: Check = {
  promise: 'R1',
  title: 'called runs lost, or taken for others',
  kind: 'promise',
  judge: (facts) => {
    const keys = new Set(facts.history.runs.map(({ key }) => key));
    const callers = facts.history.runs.filter(({ outcome }) => outcome === 'succeeded');
    const called = callers.flatMap((run) =>
      (facts.expectationOf(run.id)?.calls ?? []).map((key) => ({ run, key })),
    );
    const lost = called
      .filter(({ key }) => !keys.has(key))
      .map(({ run, key }) => ({ runId: run.id, says: `the run ${key} that it was to call is not there` }));
    return none([...lost, ...callers.flatMap((run) => strangersOf(facts, run))], called.length, 'called');
  },
};

/** What its nodes name as called, and is not what it was to call; or is named twice. */
function strangersOf(facts: Facts, run: RunRow): readonly Finding[] {
  const wanted = new Set(facts.expectationOf(run.id)?.calls);
  const calls = (facts.nodesOf.get(run.id) ?? []).filter((row) => facts.nodeFactsOf(row)?.calls);
  return calls.flatMap((row) => {
    // Whatever is named first is used up.
    if (wanted.delete(facts.run.get(row.calledRunId ?? '')?.key ?? '')) return [];
    return [
      { runId: run.id, says: `node ${placeName(row)} tells of ${row.calledRunId}, which is not its own` },
    ];
  });
}

/** Whoever waits for a run goes on when that has ended. */
const tooEarly: Check = {
  promise: 'R2',
  title: 'callers that went on before the called run ended',
  kind: 'promise',
  judge: (facts) => {
    const { nodes, writes } = facts.history;
    const ended = new Map(
      writes
        .filter(({ table, status }) => table === 'run' && status !== null)
        .map(({ runId, seq }) => [runId, seq]),
    );
    const calls = nodes.filter((row) => row.calledRunId !== null && facts.nodeFactsOf(row)?.calls);
    const broken = calls.flatMap((row): readonly Finding[] => {
      const result = facts.nodeWrites.get(placeKey(row))?.find(isResult);
      if (!result || (ended.get(row.calledRunId) ?? Infinity) < result.seq) return [];
      return [
        { runId: row.runId, says: `node ${placeName(row)} went on before ${row.calledRunId} had ended` },
      ];
    });
    return none(broken, calls.length, 'calls');
  },
};

export const calledRunChecks: readonly Check[] = [missing, tooEarly];
