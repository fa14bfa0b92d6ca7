import type { Call, History, NodeRow, Start, Write } from '../../history/history';
import { nodeFactsOf } from '../../load/definition';

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

/** The port each process of the sound history connects from. */
export const PORTS = { api: 100, one: 101, two: 102 } as const;

function write(seq: number, atMs: number, values: Partial<Write> & Pick<Write, 'table' | 'op'>): Write {
  const defaults = {
    port: PORTS.one,
    runId: 'run-1',
    nodeId: null,
    iteration: null,
    status: null,
    workerId: null,
    formerWorkerId: null,
    resumeAtMs: null,
  };
  return { ...defaults, seq, atMs, transaction: String(seq), ...values };
}

/** A result, or the beginning of a wait, as it is written. */
export function nodeWrite(seq: number, atMs: number, values: Partial<Write>): Write {
  return write(seq, atMs, { table: 'node', op: 'INSERT', iteration: '', status: 'succeeded', ...values });
}

function call(values: Partial<Call>): Call {
  const nodeId = values.nodeId ?? 'first';
  const defaults = { key: `run-1:${nodeId}`, runId: 'run-1', bodyHash: nodeId, process: 'worker-1#1' };
  return { ...defaults, nodeId, number: 1, atMs: 0, ...values };
}

/** A call of the first node, unless told otherwise. */
export const firstCall = call;

function queue(seq: number, atMs: number, values: Partial<Write>): Write {
  return write(seq, atMs, { table: 'queue', op: 'UPDATE', ...values });
}

/** A run changes hands, or gets or loses its owner. */
export const queueWrite = queue;

/**
 * One run in which nothing goes wrong although its first worker is killed: it is taken up by a second worker, which
 * repeats the call that was under way, waits two seconds, and makes an unsafe call once.
 */
export function soundHistory(): History {
  const start: Start = {
    key: 'start-1',
    graph: 'sound',
    workspaceId: 'workspace-1',
    askedAtMs: 1_000,
    runIds: ['run-1'],
    unanswered: 0,
  };
  const node = (nodeId: string, answered: number | null = null): NodeRow => ({
    runId: 'run-1',
    nodeId,
    iteration: '',
    status: 'succeeded',
    number: answered,
  });
  const two = { port: PORTS.two };
  return {
    graphs: new Map([
      [
        'sound',
        {
          name: 'sound',
          nodes: nodeFactsOf(DEFINITION),
          expected: new Map([
            [
              'start-1',
              {
                outcome: 'succeeded',
                statuses: { begin: 'succeeded', first: 'succeeded', pause: 'succeeded', second: 'succeeded' },
                delays: { pause: 2 },
              },
            ],
          ]),
        },
      ],
    ]),
    starts: [start],
    calls: [
      call({ atMs: 1_300, number: 1 }),
      call({ atMs: 4_300, number: 2, process: 'worker-2#1' }),
      call({ nodeId: 'second', atMs: 6_600, number: 3, process: 'worker-2#1' }),
    ],
    runs: [
      { id: 'run-1', workspaceId: 'workspace-1', key: 'start-1', outcome: 'succeeded', errorCode: null },
    ],
    nodes: [node('begin'), node('first', 2), node('pause'), node('second', 3)],
    events: [
      { runId: 'run-1', firstSeq: 2, lastSeq: 3, types: ['run.started', 'node.succeeded'] },
      { runId: 'run-1', firstSeq: 4, lastSeq: 5, types: ['node.succeeded', 'run.succeeded'] },
    ],
    writes: [
      write(1, 900, { table: 'worker', op: 'INSERT', runId: null, workerId: 'A' }),
      write(2, 950, { table: 'worker', op: 'INSERT', runId: null, workerId: 'B', ...two }),
      write(3, 1_050, { table: 'run', op: 'INSERT', port: PORTS.api }),
      queue(4, 1_100, { op: 'INSERT', port: PORTS.api, status: 'queued' }),
      queue(5, 1_150, { status: 'owned', workerId: 'A' }),
      nodeWrite(6, 1_200, { nodeId: 'begin' }),
      write(7, 3_900, { table: 'worker', op: 'DELETE', runId: null, workerId: 'A', ...two }),
      queue(8, 4_000, { status: 'queued', formerWorkerId: 'A', ...two }),
      queue(9, 4_100, { status: 'owned', workerId: 'B', ...two }),
      nodeWrite(10, 4_400, { nodeId: 'first', ...two }),
      nodeWrite(11, 4_400, { nodeId: 'pause', status: 'waiting', resumeAtMs: 6_400, ...two }),
      nodeWrite(12, 6_500, { nodeId: 'pause', op: 'UPDATE', resumeAtMs: 6_400, ...two }),
      nodeWrite(13, 6_700, { nodeId: 'second', ...two }),
      write(14, 6_700, { table: 'run', op: 'UPDATE', status: 'succeeded', transaction: '13', ...two }),
      queue(15, 6_700, { op: 'DELETE', formerWorkerId: 'B', transaction: '13', ...two }),
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
    usage: [{ workspaceId: 'workspace-1', used: 1 }],
    slots: 40,
  };
}
