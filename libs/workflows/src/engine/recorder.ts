import type { JsonValue } from '../definition/json';
import type { NodeError } from '../nodes/node-kind';
import { instantText } from './instant-text';
import type { RunEvent, RunEventType } from './run-events';
import type { NodeRecord, RunEnd, Segment } from './segment';

/** Largest output of one node, as JSON text. Beyond it the node fails: history is not a file store. */
export const MAX_OUTPUT_BYTES = 1024 * 1024;

/**
 * Gathers what happens to one run until a checkpoint takes it away. It numbers the events, so it must be the only one
 * who does: a run has one recorder, in the worker that holds it.
 */
export class Recorder {
  #nodes: NodeRecord[] = [];
  #events: string[] = [];
  #consumed: Segment['consumed'][number][] = [];
  #end: RunEnd | null = null;
  #nextSeq: number;
  /** Whether workers were lost since the run last got further. */
  #rescued: boolean;

  constructor(
    private readonly run: Pick<Segment, 'runId' | 'claims' | 'workspaceId' | 'retentionDays'>,
    { lastSeq, rescued }: { readonly lastSeq: number; readonly rescued: boolean },
  ) {
    this.#nextSeq = lastSeq + 1;
    this.#rescued = rescued;
  }

  get hasNews(): boolean {
    return this.#nodes.length > 0 || this.#events.length > 0 || this.#end !== null;
  }

  event(type: RunEventType, at: Date, details: Omit<RunEvent, 'type' | 'at'> = {}): void {
    // Types are plain words and need no escaping; most events have nothing more to say.
    const head = `{"type":"${type}","at":"${instantText(at)}"`;
    const { nodeId, ...others } = details;
    const node = nodeId === undefined ? '' : `,"nodeId":${JSON.stringify(nodeId)}`;
    const rest = JSON.stringify(others);
    this.#events.push(rest === '{}' ? `${head}${node}}` : `${head}${node},${rest.slice(1)}`);
  }

  /** How much has gathered; a run in a long loop records on the way. */
  get size(): number {
    return this.#nodes.length;
  }

  /**
   * A node's row. What began and changed since the last checkpoint is one insertion: the checkpoint's statement could
   * not update a row that it inserts itself, nor change one twice.
   */
  node(record: NodeRecord): void {
    const began =
      record.write === 'insert' ? -1 : this.#nodes.findLastIndex((other) => isSame(other, record));
    const earlier = this.#nodes[began];
    if (earlier === undefined) this.#nodes.push(record);
    else this.#nodes[began] = { ...record, write: earlier.write };
  }

  /** The message of a node has had its effect, which is recorded in this very moment. */
  consumed(nodeId: string, iteration: string): void {
    this.#consumed.push({ nodeId, iteration });
  }

  end(end: RunEnd): void {
    this.#end = end;
  }

  /** The last segment was refused: its numbers are given again, and what has gathered since is dropped. */
  rollBack(firstSeq: number): void {
    this.#nodes = [];
    this.#events = [];
    this.#consumed = [];
    this.#end = null;
    this.#nextSeq = firstSeq;
  }

  /** What has gathered, to be recorded; the gathering begins anew. */
  take(): Segment {
    const segment: Segment = {
      runId: this.run.runId,
      claims: this.run.claims,
      workspaceId: this.run.workspaceId,
      retentionDays: this.run.retentionDays,
      nodes: this.#nodes,
      firstSeq: this.#nextSeq,
      events: this.#events,
      consumed: this.#consumed,
      recovered: this.#rescued && this.#nodes.some(isSettled),
      end: this.#end,
    };
    if (segment.recovered) this.#rescued = false;
    this.#nextSeq += this.#events.length;
    this.#nodes = [];
    this.#events = [];
    this.#consumed = [];
    this.#end = null;
    return segment;
  }
}

function isSame(one: NodeRecord, other: NodeRecord): boolean {
  return one.nodeId === other.nodeId && one.iteration === other.iteration;
}

function isSettled({ status }: NodeRecord): boolean {
  return status !== 'running' && status !== 'waiting';
}

/** A node's output as it will be stored, or the failure it becomes when it cannot be. */
export function storable(output: JsonValue): { readonly text: string } | { readonly error: NodeError } {
  const text = jsonOf(output);
  if (text === null) {
    const message = 'The output is nested too deeply, or holds something that is not JSON.';
    return { error: { code: 'node.output_not_json', message } };
  }
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_OUTPUT_BYTES) return { text };
  const message = `The output has ${bytes} bytes as JSON; at most ${MAX_OUTPUT_BYTES} are kept. Pass on only what later nodes need.`;
  return { error: { code: 'node.output_too_large', message } };
}

/** Null for what JSON cannot say: a kind of node that gives it has a fault, and the run must end with a reason. */
function jsonOf(output: JsonValue): string | null {
  try {
    const text: string | undefined = JSON.stringify(output);
    return text ?? null;
  } catch {
    return null;
  }
}
