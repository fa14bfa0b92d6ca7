import type { Graph, GraphNode } from './graph';
import type { JsonObject, JsonValue } from './json';
import type { LoopNames } from '../expressions/scope';
import type { RecordedRows } from './recorded-rows';
import type { PlaceError, PlaceResult } from './results';
import {
  type Beginning,
  isFinished,
  type NodeResult,
  replay,
  startWalk,
  terminals,
  type WalkState,
} from './walk';

/** A node in a frame. There is one such object for each, so it may be compared and used as a key. */
export interface Place {
  readonly frame: Frame;
  readonly index: number;
  readonly node: GraphNode;
}

/** What an iteration is about. */
export interface LoopItem {
  /** Of the loop's node. */
  readonly loop: Place;
  readonly index: number;
  readonly value: JsonValue;
}

/** A failure that nothing takes care of. */
export interface Failure {
  readonly place: Place;
  readonly error: PlaceError;
}

type Outputs = { [nodeId: string]: JsonValue };

/** One walk through a graph: the run itself, or one item of one of its loops. */
export class Frame {
  /** What expressions see as `nodes`. */
  readonly outputs: Outputs;
  /** The part of it that comes from outside the loop. */
  readonly inherited: JsonObject;
  /** Set once something in the frame failed and nothing takes care of it. */
  failure: Failure | null = null;
  readonly #places: (Place | undefined)[] = [];

  private constructor(
    readonly graph: Graph,
    readonly state: WalkState,
    /** The item that this is about; null for the run itself. */
    readonly item: LoopItem | null,
  ) {
    this.inherited = item === null ? {} : outputsBefore(item.loop);
    this.outputs = { ...this.inherited };
  }

  static begin(
    graph: Graph,
    beginning: Beginning,
    item: LoopItem | null,
  ): { readonly frame: Frame; readonly ready: readonly Place[]; readonly skipped: readonly Place[] } {
    const { state, ready, skipped } = startWalk(graph, beginning);
    const frame = new Frame(graph, state, item);
    return { frame, ready: frame.places(ready), skipped: frame.places(skipped) };
  }

  /** The frame as recorded results leave it. */
  static replay(
    graph: Graph,
    beginning: Beginning,
    { rows, item }: { readonly rows: RecordedRows; readonly item: LoopItem | null },
  ): { readonly frame: Frame; readonly ready: readonly Place[] } {
    const recorded = rows.resultsIn(graph, iterationOf(item));
    const results = recorded.map(({ index, result }) => ({
      nodeIndex: index,
      ...walkResult(nodeOf(graph, index), result),
    }));
    const { state, ready, unhandledFailure } = replay(graph, beginning, results);
    const frame = new Frame(graph, state, item);
    for (const { index, result } of recorded) {
      frame.note(nodeOf(graph, index), result);
      if (unhandledFailure && result.status === 'failed' && !isHandled(nodeOf(graph, index))) {
        frame.failure ??= { place: frame.place(index), error: result.error };
      }
    }
    return { frame, ready: frame.places(ready) };
  }

  /** Empty for the run itself; else the numbers of the items on the way here, outermost first, as `3.1`. */
  get iteration(): string {
    return iterationOf(this.item);
  }

  get isFinished(): boolean {
    return isFinished(this.state);
  }

  place(index: number): Place {
    const known = this.#places[index];
    if (known) return known;
    const place: Place = { frame: this, index, node: nodeOf(this.graph, index) };
    this.#places[index] = place;
    return place;
  }

  places(indices: readonly number[]): readonly Place[] {
    return indices.map((index) => this.place(index));
  }

  /** Null when the graph has no such node. */
  placeOf(nodeId: string): Place | null {
    const index = this.graph.nodes.findIndex(({ id }) => id === nodeId);
    return index === -1 ? null : this.place(index);
  }

  /** From here on later nodes may refer to the result. */
  note({ id }: GraphNode, result: PlaceResult): void {
    this.outputs[id] = result.status === 'succeeded' ? result.output : { error: errorOutput(result.error) };
  }

  /** What expressions see of the loops that this is inside of; null outside loops. */
  loopNames(): LoopNames | null {
    if (this.item === null) return null;
    const { index, value, loop } = this.item;
    const outer = loop.frame.loopNames()?.loops ?? {};
    return { item: value, index, loops: { ...outer, [loop.node.id]: { item: value, index } } };
  }

  /** What the last nodes gave, by node id. */
  lastOutputs(): JsonObject {
    const ids = terminals(this.graph, this.state).map((index) => nodeOf(this.graph, index).id);
    return Object.fromEntries(ids.map((id) => [id, this.outputOf(id) ?? null]));
  }

  /** What a node gave. Own members only: `constructor` is the id of a node like any other. */
  outputOf(id: string): JsonValue | undefined {
    return Object.hasOwn(this.outputs, id) ? this.outputs[id] : undefined;
  }
}

/** How a result looks to the walker: a failure that the author wants to go on from is a success. */
export function walkResult({ policy }: GraphNode, result: PlaceResult): NodeResult {
  if (result.status === 'succeeded') return { status: 'succeeded', ports: result.ports };
  return policy.onError === 'continue' ? { status: 'succeeded', ports: ['out'] } : { status: 'failed' };
}

function isHandled({ policy, outgoing }: GraphNode): boolean {
  return policy.onError === 'continue' || outgoing.some(({ port }) => port === 'error');
}

function errorOutput({ code, message, details }: PlaceError): JsonObject {
  return details === undefined ? { code, message } : { code, message, details };
}

function iterationOf(item: LoopItem | null): string {
  if (item === null) return '';
  return iterationIn(item.loop.frame.iteration, item.index);
}

/** The iteration of an item inside another iteration: the numbers of the items, outermost first. */
export function iterationIn(outer: string, index: number): string {
  return outer === '' ? String(index) : `${outer}.${index}`;
}

/** In the body of a loop, expressions see what comes before the loop; that is settled when the loop begins. */
function outputsBefore({ frame, node }: Place): Outputs {
  const seen: Outputs = { ...frame.inherited };
  for (const index of node.ancestors) {
    const { id } = nodeOf(frame.graph, index);
    const output = frame.outputOf(id);
    if (output !== undefined) seen[id] = output;
  }
  return seen;
}

function nodeOf(graph: Graph, index: number): GraphNode {
  const node = graph.nodes[index];
  if (node === undefined) throw new Error(`The graph has no node ${index}.`);
  return node;
}
