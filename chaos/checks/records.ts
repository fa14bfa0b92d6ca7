import { type Facts, groupedBy, isResult } from '../history/facts';
import type { EventRow, RunRow } from '../history/history';
import { type Place, placeKey, placeName } from '../history/place';
import { type Check, type Finding, none, told } from './check';

/** What the engine says of a run that has cost it several workers. */
const GIVEN_UP = 'run.workers_lost';

/** A node's result is written once and stays: seen in its rows, and in what the triggers saw. */
const twice: Check = {
  promise: 'R1',
  title: 'node results recorded twice',
  kind: 'promise',
  judge: ({ history: { nodes }, nodeWrites }) => {
    const rows = groupedBy(nodes, placeKey);
    const doubled = new Set([...rows].filter(([, same]) => same.length > 1).map(([key]) => key));
    for (const [key, writes] of nodeWrites) if (writes.filter(isResult).length > 1) doubled.add(key);
    const broken = [...doubled].map((key) => {
      const [runId = '', name] = key.split(' ');
      return { runId, says: `node ${name} has more than one result` };
    });
    return none(broken, rows.size, 'nodes');
  },
};

/**
 * The run went the way its graph says: the same nodes succeeded, failed and were skipped as in an undisturbed one, in
 * the same items of loops, and there are no others. Runs that were given up are counted elsewhere, and whoever waited for
 * one fails with it.
 */
const otherEnd: Check = {
  promise: 'R1',
  title: 'runs that ended otherwise than their graph says',
  kind: 'promise',
  judge: (facts) => {
    const { runs } = facts.history;
    const givenUp = runs.filter(({ errorCode }) => errorCode === GIVEN_UP).map(({ key }) => key);
    const ended = runs.filter(
      ({ outcome, key }) =>
        outcome !== null && !givenUp.some((other) => other === key || other.startsWith(`${key}/`)),
    );
    return none(
      ended.flatMap((run) => differences(facts, run)),
      ended.length,
      'runs',
    );
  },
};

function differences({ expectationOf, nodesOf }: Facts, run: RunRow): readonly Finding[] {
  const expected = expectationOf(run.id);
  if (!expected) return [];
  if (run.outcome !== expected.outcome) {
    return [{ runId: run.id, says: `${run.outcome} (${run.errorCode}) instead of ${expected.outcome}` }];
  }
  const rows = new Map((nodesOf.get(run.id) ?? []).map((row) => [placeName(row), row.status]));
  const names = new Set([...Object.keys(expected.statuses), ...rows.keys()]);
  return [...names]
    .map((name) => ({ name, is: rows.get(name), shallBe: expected.statuses[name] }))
    .filter(({ is, shallBe }) => is !== shallBe)
    .map(({ name, is = 'not recorded', shallBe = 'not recorded' }) => ({
      runId: run.id,
      says: `node ${name} is ${is} instead of ${shallBe}`,
    }));
}

/** What a node left behind is what one of its calls was answered, or a message for it said. */
const unknownOutput: Check = {
  promise: 'R2',
  title: 'recorded answers that no call was given',
  kind: 'promise',
  judge: (facts) => {
    const { nodes, calls, messages } = facts.history;
    const answers = new Set([...calls, ...messages].map(numberedKey));
    const recorded = nodes.filter((row) => row.status === 'succeeded' && facts.nodeFactsOf(row)?.answered);
    const broken = recorded
      .filter((row) => !answers.has(numberedKey(row)))
      .map((row) => ({
        runId: row.runId,
        says: `node ${placeName(row)} recorded ${row.number}, which nobody answered it`,
      }));
    return none(broken, recorded.length, 'results of effects');
  },
};

function numberedKey(row: Place & { readonly number: number | null }): string {
  return `${placeKey(row)} ${row.number}`;
}

/** Numbered from 2 without a gap (1 is the run's creation), with one end, which is the outcome. */
const events: Check = {
  promise: 'R1',
  title: 'runs whose events have gaps, doubles or no end',
  kind: 'promise',
  judge: ({ history: { runs, events: rows } }) => {
    const byRun = groupedBy(rows, ({ runId }) => runId);
    const broken = runs.flatMap((run) => {
      const why = whyBroken(run, byRun.get(run.id) ?? []);
      return why === null ? [] : [{ runId: run.id, says: why }];
    });
    return none(broken, runs.length, 'runs');
  },
};

const ENDS = new Set(['run.succeeded', 'run.failed', 'run.canceled']);

function whyBroken({ outcome }: RunRow, rows: readonly EventRow[]): string | null {
  const ordered = rows.toSorted((one, other) => one.firstSeq - other.firstSeq);
  let next = 2;
  for (const { firstSeq, lastSeq, types } of ordered) {
    if (firstSeq !== next) return `event ${next} is followed by a row that begins with ${firstSeq}`;
    if (types.length !== lastSeq - firstSeq + 1)
      return `${types.length} events from ${firstSeq} to ${lastSeq}`;
    next = lastSeq + 1;
  }
  const types = ordered.flatMap((row) => row.types);
  const ends = types.filter((type) => ENDS.has(type));
  if (outcome === null) return ends.length === 0 ? null : 'it has an end among its events and no outcome';
  if (ends.length !== 1) return `${ends.length} ends among its events`;
  return types.at(-1) === `run.${outcome}`
    ? null
    : `${types.at(-1)} is the last event of a run that ${outcome}`;
}

const givenUp: Check = {
  promise: 'R20',
  title: 'runs given up after losing five workers',
  kind: 'figure',
  judge: ({ history: { runs } }) =>
    told(`${runs.filter(({ errorCode }) => errorCode === GIVEN_UP).length} of ${runs.length} runs`),
};

export const recordChecks: readonly Check[] = [otherEnd, twice, events, unknownOutput, givenUp];
