import type { History } from '../history/history';
import { type Check, told } from './check';

function count({ faults }: History, ...kinds: readonly string[]): number {
  return faults.filter(({ kind }) => kinds.includes(kind)).length;
}

/** What was done, so that a table that says 0 also says 0 of how much. */
export const faultChecks: readonly Check[] = [
  {
    promise: 'R1',
    title: 'kills',
    kind: 'figure',
    judge: ({ history }) =>
      told(`${count(history, 'kill worker')} of workers, ${count(history, 'kill api')} of the API`),
  },
  {
    promise: 'R4',
    title: 'workers frozen for three leases',
    kind: 'figure',
    judge: ({ history }) => told(String(count(history, 'freeze'))),
  },
  {
    promise: 'R5',
    title: 'commits whose answer was lost, whose request was',
    kind: 'figure',
    judge: ({ history: { dropped } }) => told(`${dropped.replies} answers, ${dropped.requests} requests`),
  },
  {
    promise: 'R7',
    title: 'kills of PostgreSQL',
    kind: 'figure',
    judge: ({ history }) => told(String(count(history, 'kill postgres'))),
  },
  {
    promise: 'R8',
    title: 'lines cut, held, slow; all connections ended',
    kind: 'figure',
    judge: ({ history }) =>
      told(
        ['cut line', 'line held', 'line slow', 'terminate connections']
          .map((kind) => count(history, kind))
          .join(', '),
      ),
  },
  {
    promise: 'R17',
    title: 'clocks moved by days and hours',
    kind: 'figure',
    judge: ({ history }) =>
      told(history.clock ? String(count(history, 'move clock')) : 'NONE: libfaketime is not installed'),
  },
];
