import type { Facts } from '../history/facts';
import type { Fault } from '../history/history';
import { type Check, none, told } from './check';
import { spread } from './percentile';

/** Faults after which a process does no more, or nothing for long. */
const LOSSES = new Set(['kill worker', 'freeze']);

/** From the loss of a worker to the next thing written of a run it had, by whoever took it over: milliseconds each. */
export function recoveryTimesMs(facts: Facts): readonly number[] {
  return facts.history.faults
    .filter(({ kind }) => LOSSES.has(kind))
    .flatMap((loss) => recoveriesFrom(facts, loss));
}

function recoveriesFrom({ ownership, history }: Facts, { process, atMs }: Fault): readonly number[] {
  const progress = new Map<string, number[]>();
  for (const write of history.writes) {
    if (write.runId === null || write.table === 'queue' || write.atMs <= atMs) continue;
    const times = progress.get(write.runId);
    if (times) times.push(write.atMs);
    else progress.set(write.runId, [write.atMs]);
  }
  return [...ownership.tenures].flatMap(([runId, tenures]) => {
    const held = tenures.findIndex(
      ({ workerId, fromMs, toMs }) =>
        fromMs <= atMs && atMs < toMs && ownership.workers.get(workerId)?.process === process,
    );
    const next = held === -1 ? undefined : tenures[held + 1];
    const first = next && progress.get(runId)?.find((time) => time >= next.fromMs);
    return first === undefined ? [] : [first - atMs];
  });
}

const workers: Check = {
  promise: 'R1',
  title: 'recovery: loss of a worker to progress of its runs',
  kind: 'figure',
  judge: (facts) => told(spread(recoveryTimesMs(facts))),
};

const database: Check = {
  promise: 'R7',
  title: 'recovery: kill of PostgreSQL to the next write',
  kind: 'figure',
  judge: ({ history: { faults, writes } }) => {
    const kills = faults.filter(({ kind }) => kind === 'kill postgres');
    return told(
      spread(
        kills.flatMap(({ atMs }) => {
          const next = writes.find((write) => write.atMs > atMs + DYING_MS);
          return next === undefined ? [] : [next.atMs - atMs];
        }),
      ),
    );
  },
};

/** Server processes notice the death of their postmaster a moment later, and go on until then. */
const DYING_MS = 50;

/** A worker that was declared dead changes nothing, and nobody takes a run from one that lives. */
const fences: Check = {
  promise: 'R4',
  title: 'fences violated',
  kind: 'promise',
  judge: ({ ownership, history: { writes } }) =>
    none(
      ownership.trespasses.map(({ write, process, why }) => ({
        runId: write.runId,
        says: `${process ?? 'an unknown process'} ${why}: ${write.op} ${write.table} ${write.nodeId ?? ''} ${write.status ?? ''}`,
      })),
      writes.length,
      'writes',
    ),
};

/** A process that takes part ends when it is told to, whatever becomes of its connections. */
const collapses: Check = {
  promise: 'R7',
  title: 'processes that ended by themselves once ready',
  kind: 'promise',
  judge: ({ history }) => {
    const broken = history.collapses
      .filter(({ wasReady }) => wasReady)
      .map(({ process, lastWords }) => ({ runId: null, says: `${process} ended: ${lastWords}` }));
    const starts = history.collapses.length - broken.length;
    return { broken, figure: `${broken.length} of ${history.processes.length}, ${starts} starts failed` };
  },
};

export const recoveryChecks: readonly Check[] = [fences, collapses, workers, database];
