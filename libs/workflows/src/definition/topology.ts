/** A directed graph by number: `edges[i]` goes from a node to a node. */
export interface Arrows {
  readonly nodeCount: number;
  readonly edges: readonly { readonly from: number; readonly to: number }[];
}

/** For each node the nodes its edges lead to, and those they come from. */
interface Neighbours {
  readonly following: readonly (readonly number[])[];
  readonly preceding: readonly (readonly number[])[];
}

export interface Topology {
  /** Each node behind everything it depends on; of several that could follow, the first in the definition. */
  readonly order: readonly number[];
  /** The nodes from which a path leads to this one. Complete only for nodes that are in `order`. */
  readonly ancestors: readonly ReadonlySet<number>[];
  /** Cycles that share no node, each as a path; there are none exactly when `order` holds all nodes. */
  readonly cycles: readonly (readonly number[])[];
}

export function topology(arrows: Arrows): Topology {
  const neighbours = neighboursOf(arrows);
  const order = topologicalOrder(arrows.nodeCount, neighbours);
  const ancestors = Array.from({ length: arrows.nodeCount }, () => new Set<number>());
  for (const node of order) {
    for (const parent of neighbours.preceding[node] ?? []) {
      ancestors[node]?.add(parent);
      for (const ancestor of ancestors[parent] ?? []) ancestors[node]?.add(ancestor);
    }
  }
  const ordered = new Set(order);
  const rest = Array.from({ length: arrows.nodeCount }, (_, i) => i).filter((node) => !ordered.has(node));
  return { order, ancestors, cycles: cyclesAmong(rest, neighbours) };
}

/** The nodes that can be reached from these by following edges, themselves included. */
export function reachableFrom(starts: readonly number[], arrows: Arrows): ReadonlySet<number> {
  const { following } = neighboursOf(arrows);
  const reached = new Set(starts);
  // A Set goes on to iterate over what is added meanwhile.
  for (const node of reached) for (const next of following[node] ?? []) reached.add(next);
  return reached;
}

function neighboursOf({ nodeCount, edges }: Arrows): Neighbours {
  const following: number[][] = Array.from({ length: nodeCount }, () => []);
  const preceding: number[][] = Array.from({ length: nodeCount }, () => []);
  for (const { from, to } of edges) {
    following[from]?.push(to);
    preceding[to]?.push(from);
  }
  return { following, preceding };
}

function topologicalOrder(nodeCount: number, { following, preceding }: Neighbours): readonly number[] {
  const missing = preceding.map((parents) => parents.length);
  const order: number[] = [];
  const free = Array.from({ length: nodeCount }, (_, i) => i).filter((node) => missing[node] === 0);
  while (free.length > 0) {
    // At most 500 nodes: looking for the smallest is cheaper than keeping a heap.
    const next = Math.min(...free);
    free.splice(free.indexOf(next), 1);
    order.push(next);
    for (const node of following[next] ?? []) {
      missing[node] = (missing[node] ?? 0) - 1;
      if (missing[node] === 0) free.push(node);
    }
  }
  return order;
}

function cyclesAmong(nodes: readonly number[], neighbours: Neighbours): readonly (readonly number[])[] {
  const left = new Set(nodes);
  const cycles: (readonly number[])[] = [];
  for (prune(left, neighbours); left.size > 0; prune(left, neighbours)) {
    const cycle = firstCycle(left, neighbours);
    cycles.push(cycle);
    for (const node of cycle) left.delete(node);
  }
  return cycles;
}

/** Takes away what merely leads to a cycle or away from one, until everything left has a way on and a way back. */
function prune(left: Set<number>, { following, preceding }: Neighbours): void {
  for (let before = -1; before !== left.size;) {
    before = left.size;
    for (const node of left) {
      const isBetween = [following, preceding].every((side) => side[node]?.some((other) => left.has(other)));
      if (!isBetween) left.delete(node);
    }
  }
}

/** Goes on from node to node until one comes again. */
function firstCycle(left: ReadonlySet<number>, { following }: Neighbours): readonly number[] {
  const path: number[] = [];
  let [node] = left;
  while (node !== undefined && !path.includes(node)) {
    path.push(node);
    node = following[node]?.find((next) => left.has(next));
  }
  return node === undefined ? path : path.slice(path.indexOf(node));
}
