import type { Call, NodeRow, Write } from '../../history/history';
import type { Place } from '../../history/place';

/** The port each process of the sound history connects from. */
export const PORTS = { api: 100, one: 101, two: 102 } as const;

/** A row that was written. */
export function write(
  seq: number,
  atMs: number,
  values: Partial<Write> & Pick<Write, 'table' | 'op'>,
): Write {
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

/** A run changes hands, or gets or loses its owner. */
export function queueWrite(seq: number, atMs: number, values: Partial<Write>): Write {
  return write(seq, atMs, { table: 'queue', op: 'UPDATE', ...values });
}

/** A call; of the first node by the first worker, unless told otherwise. */
export function call(values: Partial<Call>): Call {
  const { nodeId = 'first', runId = 'run-1', iteration = '' } = values;
  const key = [runId, nodeId, ...(iteration === '' ? [] : [iteration])].join(':');
  const defaults = { key, bodyHash: key, process: 'worker-1#1', number: 1, atMs: 0 };
  return { ...defaults, runId, nodeId, iteration, ...values };
}

/** A node that has succeeded. */
export function nodeRow(
  place: Partial<Place> & { readonly nodeId: string },
  values: Partial<NodeRow> = {},
): NodeRow {
  const defaults = { runId: 'run-1', iteration: '', status: 'succeeded', number: null, calledRunId: null };
  return { ...defaults, ...place, ...values };
}
