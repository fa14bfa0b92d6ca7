/**
 * The walker: says which nodes of a run are ready, which are skipped, and when it is finished. It knows nothing of
 * databases, time or workers; the README beside it has the rules in words. It is on the engine's hot path, so a
 * state is a few arrays of small integers that are changed in place, and edges have no state of their own: of an edge
 * only matters how many are still pending at the node it leads to, and whether any was taken.
 */
import type { Graph, GraphNode } from './graph';

/** Where one run stands. Opaque: only the functions of this file look inside. */
export interface WalkState {
  /** Per node, one of the stages below. */
  readonly stages: number[];
  /** Per node, how many of its incoming edges are pending. */
  readonly pending: number[];
  /** Per node, 1 when an incoming edge was taken. */
  readonly reached: number[];
  /** Per node, 1 when an outgoing edge was taken. */
  readonly continued: number[];
  /** How many nodes are ready and not settled. */
  open: number;
}

const untouched = 0;
const ready = 1;
const succeeded = 2;
const failed = 3;
const skipped = 4;

/** How a node ended: with the ports it takes, or with a failure, which takes the port `error`. */
export type NodeResult =
  | { readonly status: 'succeeded'; readonly ports: readonly string[] }
  | { readonly status: 'failed' };

/** What follows from a step. All lists hold node indices in topological order. */
export interface Follows {
  /** To be executed now. */
  readonly ready: readonly number[];
  /** Will never be executed. Each node is reported once. */
  readonly skipped: readonly number[];
}

export interface Settled extends Follows {
  /** The node failed and no edge of its port `error` takes care of it. */
  readonly unhandledFailure: boolean;
}

/** A node's result as it was recorded. */
export type RecordedResult = NodeResult & { readonly nodeIndex: number };

export interface Replayed extends Settled {
  readonly state: WalkState;
}

const portsOfFailure: readonly string[] = ['error'];

/** Where a walk begins: at one of the triggers, or, in the body of a loop, at every node that no edge leads to. */
export type Beginning = number | 'entries';

/** Begins a walk. Triggers other than the chosen one are dead, and what only they lead to is skipped. */
export function startWalk(graph: Graph, beginning: Beginning): Follows & { readonly state: WalkState } {
  const state: WalkState = {
    stages: graph.nodes.map(() => untouched),
    pending: graph.nodes.map(({ incoming }) => incoming.length),
    reached: graph.nodes.map(() => 0),
    continued: graph.nodes.map(() => 0),
    open: 0,
  };
  const step = new Step(graph, state);
  if (beginning === 'entries') for (const entry of graph.entries) step.begin(entry);
  else {
    step.begin(beginning);
    for (const other of graph.triggers) if (other !== beginning) step.skip(other);
  }
  return { state, ...step.follows() };
}

/** Records the result of a node that was ready. Changes the state. Throws when the node was not: a bug. */
// oxlint-disable-next-line house/few-parameters -- once per node of every run: no object for the arguments
export function settle(graph: Graph, state: WalkState, index: number, result: NodeResult): Settled {
  if (state.stages[index] !== ready) throw new Error(`Node ${index} is not ready, so it can not be settled.`);
  const step = new Step(graph, state);
  step.settle(index, result);
  return { ...step.follows(), unhandledFailure: isUnhandled(state, index) };
}

/** Whether every node is settled or skipped: nothing is left to execute. */
export function isFinished(state: WalkState): boolean {
  return state.open === 0;
}

/** The ends of the run's paths: nodes that succeeded and had no edge to go on by. In topological order. */
export function terminals(graph: Graph, state: WalkState): readonly number[] {
  return graph.order.filter((index) => state.stages[index] === succeeded && state.continued[index] === 0);
}

/**
 * The state after these results, which may come in any order: the same as if each had been settled when it was
 * reached. `ready` and `skipped` are those of the whole run so far.
 */
export function replay(graph: Graph, beginning: Beginning, rows: readonly RecordedResult[]): Replayed {
  const { state, ready: first, skipped: dead } = startWalk(graph, beginning);
  const results = new Map(rows.map((row) => [row.nodeIndex, row]));
  const left: number[] = [];
  const step = new Step(graph, state);
  let unhandledFailure = false;
  for (let front = first; front.length > 0; front = step.takeReady()) {
    for (const index of front) {
      const result = results.get(index);
      if (result === undefined) {
        left.push(index);
        continue;
      }
      step.settle(index, result);
      unhandledFailure ||= isUnhandled(state, index);
    }
  }
  const inOrder = byRank(graph);
  return {
    state,
    ready: left.toSorted(inOrder),
    skipped: [...dead, ...step.follows().skipped].toSorted(inOrder),
    unhandledFailure,
  };
}

function isUnhandled(state: WalkState, index: number): boolean {
  return state.stages[index] === failed && state.continued[index] === 0;
}

function byRank({ nodes }: Graph): (a: number, b: number) => number {
  return (a, b) => (nodes[a]?.rank ?? 0) - (nodes[b]?.rank ?? 0);
}

const nothing: readonly number[] = [];

/** One change of the state, with everything that follows from it. */
class Step {
  private ready: number[] | undefined;
  private skipped: number[] | undefined;

  constructor(
    private readonly graph: Graph,
    private readonly state: WalkState,
  ) {}

  begin(index: number): void {
    this.state.stages[index] = ready;
    this.state.open += 1;
    (this.ready ??= []).push(index);
  }

  settle(index: number, result: NodeResult): void {
    const isSuccess = result.status === 'succeeded';
    this.state.stages[index] = isSuccess ? succeeded : failed;
    this.state.open -= 1;
    this.leave(this.node(index), isSuccess ? result.ports : portsOfFailure);
  }

  /** Skips the node and whatever that leaves without a way to it. Iterative: a chain may have 500 nodes. */
  skip(index: number): void {
    const dying = [index];
    for (let next = dying.pop(); next !== undefined; next = dying.pop()) {
      this.state.stages[next] = skipped;
      (this.skipped ??= []).push(next);
      for (const { to } of this.node(next).outgoing) if (this.arriveDead(to)) dying.push(to);
    }
  }

  takeReady(): readonly number[] {
    const taken = this.ready ?? nothing;
    this.ready = undefined;
    return taken;
  }

  follows(): Follows {
    return { ready: this.sorted(this.ready), skipped: this.sorted(this.skipped) };
  }

  private leave({ index, outgoing }: GraphNode, ports: readonly string[]): void {
    for (const { to, port } of outgoing) {
      if (!ports.includes(port)) {
        if (this.arriveDead(to)) this.skip(to);
        continue;
      }
      this.state.continued[index] = 1;
      this.state.reached[to] = 1;
      this.countDown(to);
      this.beginIfReady(to);
    }
  }

  /** Says whether the node that the dead edge leads to is dead by it. */
  private arriveDead(to: number): boolean {
    if (this.countDown(to) > 0 || this.state.stages[to] !== untouched) return false;
    if (this.state.reached[to] === 0) return true;
    this.begin(to);
    return false;
  }

  private beginIfReady(to: number): void {
    if (this.state.stages[to] !== untouched) return;
    if (this.node(to).join === 'any' || this.state.pending[to] === 0) this.begin(to);
  }

  private countDown(to: number): number {
    const pending = (this.state.pending[to] ?? 0) - 1;
    this.state.pending[to] = pending;
    return pending;
  }

  private sorted(indices: number[] | undefined): readonly number[] {
    if (indices === undefined) return nothing;
    return indices.length === 1 ? indices : indices.sort(byRank(this.graph));
  }

  private node(index: number): GraphNode {
    const node = this.graph.nodes[index];
    if (node === undefined) throw new Error(`The graph has no node ${index}.`);
    return node;
  }
}
