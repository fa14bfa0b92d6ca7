import type { History, NodeRow, Start } from '../../history/history';
import { nodeFactsOf } from '../../load/definition';
import { expectation } from '../../load/graph';
import { call, nodeRow, nodeWrite, PORTS, queueWrite, write } from './rows';
import { soundWaitingRun } from './sound-waiting-run';

const DEFINITION = {
  nodes: [
    { id: 'begin', type: 'trigger.manual' },
    { id: 'first', type: 'http.request' },
    { id: 'pause', type: 'delay' },
    { id: 'second', type: 'http.request', repeat: 'unsafe' },
  ],
  edges: [
    { from: 'begin', to: 'first' },
    { from: 'first', to: 'pause' },
    { from: 'pause', to: 'second' },
  ],
} as const;

/**
 * One run in which nothing goes wrong although its first worker is killed: it is taken up by a second worker, which
 * repeats the call that was under way, waits two seconds, and makes an unsafe call once. After it comes one that waits
 * for others.
 */
export function soundHistory(): History {
  const start: Start = {
    key: 'start-1',
    workspaceId: 'workspace-1',
    askedAtMs: 1_000,
    runIds: ['run-1'],
    unanswered: 0,
  };
  const node = (nodeId: string, answered: number | null = null): NodeRow =>
    nodeRow({ nodeId }, { number: answered });
  const two = { port: PORTS.two };
  const waiting = soundWaitingRun();
  return {
    graphs: new Map([
      ...waiting.graphs,
      [
        'sound',
        {
          name: 'sound',
          nodes: nodeFactsOf(DEFINITION),
          expected: new Map([
            ['start-1', expectation(['first', 'pause', 'second'], { delays: { pause: 2 } })],
          ]),
        },
      ],
    ]),
    starts: [start, ...waiting.starts],
    calls: [
      call({ atMs: 1_300, number: 1 }),
      call({ atMs: 4_300, number: 2, process: 'worker-2#1' }),
      call({ nodeId: 'second', atMs: 6_600, number: 3, process: 'worker-2#1' }),
      ...waiting.calls,
    ],
    messages: waiting.messages,
    runs: [
      { id: 'run-1', workspaceId: 'workspace-1', key: 'start-1', outcome: 'succeeded', errorCode: null },
      ...waiting.runs,
    ],
    nodes: [node('begin'), node('first', 2), node('pause'), node('second', 3), ...waiting.nodes],
    events: [
      { runId: 'run-1', firstSeq: 2, lastSeq: 3, types: ['run.started', 'node.succeeded'] },
      { runId: 'run-1', firstSeq: 4, lastSeq: 5, types: ['node.succeeded', 'run.succeeded'] },
      ...waiting.events,
    ],
    writes: [
      write(1, 900, { table: 'worker', op: 'INSERT', runId: null, workerId: 'A' }),
      write(2, 950, { table: 'worker', op: 'INSERT', runId: null, workerId: 'B', ...two }),
      write(3, 1_050, { table: 'run', op: 'INSERT', port: PORTS.api }),
      queueWrite(4, 1_100, { op: 'INSERT', port: PORTS.api, status: 'queued' }),
      queueWrite(5, 1_150, { status: 'owned', workerId: 'A' }),
      nodeWrite(6, 1_200, { nodeId: 'begin' }),
      write(7, 3_900, { table: 'worker', op: 'DELETE', runId: null, workerId: 'A', ...two }),
      queueWrite(8, 4_000, { status: 'queued', formerWorkerId: 'A', ...two }),
      queueWrite(9, 4_100, { status: 'owned', workerId: 'B', ...two }),
      nodeWrite(10, 4_400, { nodeId: 'first', ...two }),
      nodeWrite(11, 4_400, { nodeId: 'pause', status: 'waiting', resumeAtMs: 6_400, ...two }),
      nodeWrite(12, 6_500, { nodeId: 'pause', op: 'UPDATE', resumeAtMs: 6_400, ...two }),
      nodeWrite(13, 6_700, { nodeId: 'second', ...two }),
      write(14, 6_700, { table: 'run', op: 'UPDATE', status: 'succeeded', transaction: '13', ...two }),
      queueWrite(15, 6_700, { op: 'DELETE', formerWorkerId: 'B', transaction: '13', ...two }),
      ...waiting.writes,
    ],
    processes: [
      { name: 'api#1', role: 'api', endedAtMs: null },
      { name: 'worker-1#1', role: 'worker', endedAtMs: 1_400 },
      { name: 'worker-2#1', role: 'worker', endedAtMs: null },
    ],
    collapses: [{ process: 'worker-3#1', wasReady: false, lastWords: 'no database' }],
    connections: [
      { port: PORTS.api, process: 'api#1', fromMs: 0 },
      { port: PORTS.one, process: 'worker-1#1', fromMs: 0 },
      { port: PORTS.two, process: 'worker-2#1', fromMs: 0 },
    ],
    faults: [{ kind: 'kill worker', process: 'worker-1#1', atMs: 1_400 }],
    dropped: { replies: 0, requests: 0 },
    clock: true,
    left: { runs: [], workers: [] },
    usage: [{ workspaceId: 'workspace-1', used: 3 }],
    slots: 40,
  };
}
