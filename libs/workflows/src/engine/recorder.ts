import type { JsonValue } from '../definition/json';
import type { NodeError } from '../nodes/node-kind';
import { instantText } from './instant-text';
import type { RunEvent, RunEventType } from './run-events';
import type { NodeRecord, RunEnd, Segment } from './segment';

/** Largest output of one node, as JSON text. Beyond it the node fails: history is not a file store. */
const MAX_OUTPUT_BYTES = 1024 * 1024;

/**
 * Gathers what happens to one run until a checkpoint takes it away. It numbers the events, so it must be the only one
 * who does: a run has one recorder, in the worker that holds it.
 */
export class Recorder {
  #nodes: NodeRecord[] = [];
  #events: string[] = [];
  #end: RunEnd | null = null;
  #nextSeq: number;

  constructor(
    readonly runId: string,
    readonly workspaceId: string,
    lastSeq: number,
  ) {
    this.#nextSeq = lastSeq + 1;
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

  /**
   * A node's row. A wait that began and ended since the last checkpoint is one insertion: the checkpoint's statement
   * could not update a row that it inserts itself.
   */
  node(record: NodeRecord): void {
    const began = this.#nodes.findIndex(
      (other) => other.nodeId === record.nodeId && other.iteration === record.iteration,
    );
    if (began === -1) this.#nodes.push(record);
    else this.#nodes[began] = { ...record, write: 'insert' };
  }

  end(end: RunEnd): void {
    this.#end = end;
  }

  /** The last segment was refused: its numbers are given again, and what has gathered since is dropped. */
  rollBack(firstSeq: number): void {
    this.#nodes = [];
    this.#events = [];
    this.#end = null;
    this.#nextSeq = firstSeq;
  }

  /** What has gathered, to be recorded; the gathering begins anew. */
  take(): Segment {
    const segment: Segment = {
      runId: this.runId,
      workspaceId: this.workspaceId,
      nodes: this.#nodes,
      firstSeq: this.#nextSeq,
      events: this.#events,
      end: this.#end,
    };
    this.#nextSeq += this.#events.length;
    this.#nodes = [];
    this.#events = [];
    this.#end = null;
    return segment;
  }
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
