import type { History } from '../../history/history';
import { nodeFactsOf } from '../../load/definition';
import { expectation } from '../../load/graph';
import { call, nodeRow, nodeWrite, PORTS, queueWrite, write } from './rows';

const CALLER = {
  nodes: [
    { id: 'begin', type: 'trigger.manual' },
    { id: 'each', type: 'for_each' },
    { id: 'book', type: 'http.request', parent: 'each' },
    { id: 'call', type: 'run.workflow' },
    { id: 'answer', type: 'wait.callback' },
    { id: 'charge', type: 'http.request', repeat: 'unsafe' },
    { id: 'last', type: 'http.request' },
  ],
  edges: ['begin', 'each', 'call', 'answer', 'charge', 'last'].flatMap((to, index, ids) => {
    const from = ids[index - 1];
    return from === undefined ? [] : [{ from, to }];
  }),
} as const;

const CALLED = { nodes: [{ id: 'begin', type: 'trigger.workflow' }], edges: [] } as const;

/** The parts of a history that two runs are of. */
type Part = Pick<
  History,
  'graphs' | 'starts' | 'calls' | 'messages' | 'runs' | 'nodes' | 'events' | 'writes'
>;

/**
 * A run in which nothing goes wrong: it makes a call for each of two items, runs another workflow, is called back, asks a
 * person about an attempt that was interrupted, and goes on. All of it is the second worker's.
 */
export function soundWaitingRun(): Part {
  const two = { port: PORTS.two };
  const caller = { ...two, runId: 'run-2' };
  const called = { ...two, runId: 'run-3' };
  const process = 'worker-2#1';
  const run = { workspaceId: 'workspace-1', outcome: 'succeeded', errorCode: null };
  return {
    graphs: new Map([
      [
        'caller',
        {
          name: 'caller',
          nodes: nodeFactsOf(CALLER),
          expected: new Map([
            [
              'start-2',
              expectation(['each', 'book:0', 'book:1', 'call', 'answer', 'charge', 'last'], {
                calls: ['start-2/child'],
              }),
            ],
          ]),
        },
      ],
      [
        'called',
        {
          name: 'called',
          nodes: nodeFactsOf(CALLED),
          expected: new Map([['start-2/child', expectation([])]]),
        },
      ],
    ]),
    starts: [
      { key: 'start-2', workspaceId: 'workspace-1', askedAtMs: 6_950, runIds: ['run-2'], unanswered: 0 },
    ],
    calls: [
      call({ runId: 'run-2', nodeId: 'book', iteration: '0', atMs: 7_300, number: 4, process }),
      call({ runId: 'run-2', nodeId: 'book', iteration: '1', atMs: 7_310, number: 5, process }),
      call({ runId: 'run-2', nodeId: 'charge', atMs: 7_960, number: 6, process }),
      call({ runId: 'run-2', nodeId: 'last', atMs: 8_800, number: 7, process }),
    ],
    messages: [
      {
        runId: 'run-2',
        nodeId: 'answer',
        iteration: '',
        kind: 'callback',
        number: 1,
        acceptedAtMs: 7_800,
      },
      {
        runId: 'run-2',
        nodeId: 'charge',
        iteration: '',
        kind: 'decision',
        number: -1,
        acceptedAtMs: 8_600,
      },
    ],
    runs: [
      { ...run, id: 'run-2', key: 'start-2' },
      { ...run, id: 'run-3', key: 'start-2/child' },
    ],
    nodes: [
      nodeRow({ runId: 'run-2', nodeId: 'begin' }),
      nodeRow({ runId: 'run-2', nodeId: 'each' }),
      nodeRow({ runId: 'run-2', nodeId: 'book', iteration: '0' }, { number: 4 }),
      nodeRow({ runId: 'run-2', nodeId: 'book', iteration: '1' }, { number: 5 }),
      nodeRow({ runId: 'run-2', nodeId: 'call' }, { calledRunId: 'run-3' }),
      nodeRow({ runId: 'run-2', nodeId: 'answer' }, { number: 1 }),
      nodeRow({ runId: 'run-2', nodeId: 'charge' }, { number: -1 }),
      nodeRow({ runId: 'run-2', nodeId: 'last' }, { number: 7 }),
      nodeRow({ runId: 'run-3', nodeId: 'begin' }),
    ],
    events: ['run-2', 'run-3'].map((runId) => ({
      runId,
      firstSeq: 2,
      lastSeq: 3,
      types: ['run.started', 'run.succeeded'],
    })),
    writes: [
      write(20, 7_000, { table: 'run', op: 'INSERT', port: PORTS.api, runId: 'run-2' }),
      queueWrite(21, 7_000, { op: 'INSERT', port: PORTS.api, runId: 'run-2', status: 'queued' }),
      queueWrite(22, 7_100, { ...caller, status: 'owned', workerId: 'B' }),
      nodeWrite(23, 7_150, { ...caller, nodeId: 'begin' }),
      nodeWrite(24, 7_200, { ...caller, nodeId: 'each', status: 'running' }),
      nodeWrite(25, 7_400, { ...caller, nodeId: 'book', iteration: '0' }),
      nodeWrite(26, 7_400, { ...caller, nodeId: 'book', iteration: '1' }),
      nodeWrite(27, 7_450, { ...caller, nodeId: 'each', op: 'UPDATE' }),
      write(28, 7_480, { ...called, table: 'run', op: 'INSERT' }),
      queueWrite(29, 7_480, { ...called, op: 'INSERT', status: 'queued' }),
      nodeWrite(30, 7_500, { ...caller, nodeId: 'call', status: 'waiting' }),
      queueWrite(31, 7_550, { ...called, status: 'owned', workerId: 'B' }),
      nodeWrite(32, 7_560, { ...called, nodeId: 'begin' }),
      write(33, 7_600, { ...called, table: 'run', op: 'UPDATE', status: 'succeeded' }),
      queueWrite(34, 7_600, { ...called, op: 'DELETE', formerWorkerId: 'B', transaction: '33' }),
      nodeWrite(35, 7_700, { ...caller, nodeId: 'call', op: 'UPDATE' }),
      nodeWrite(36, 7_700, { ...caller, nodeId: 'answer', status: 'waiting' }),
      nodeWrite(37, 7_900, { ...caller, nodeId: 'answer', op: 'UPDATE' }),
      nodeWrite(38, 7_950, { ...caller, nodeId: 'charge', status: 'running' }),
      nodeWrite(39, 8_500, { ...caller, nodeId: 'charge', op: 'UPDATE', status: 'waiting' }),
      nodeWrite(40, 8_700, { ...caller, nodeId: 'charge', op: 'UPDATE' }),
      nodeWrite(41, 8_900, { ...caller, nodeId: 'last' }),
      write(42, 8_900, { ...caller, table: 'run', op: 'UPDATE', status: 'succeeded' }),
      queueWrite(43, 8_900, { ...caller, op: 'DELETE', formerWorkerId: 'B', transaction: '42' }),
    ],
  };
}
