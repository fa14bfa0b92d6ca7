import type { WorkflowDefinition } from './schema';
import type { Arrows } from './topology';

/**
 * The graph with arrows into the bodies of loops: from the loop itself, to see what can be reached, or from whatever
 * leads to the loop, to see what is settled when the body begins.
 */
export function withBodies(
  { nodes }: WorkflowDefinition,
  arrows: Arrows,
  origin: 'from loop' | 'before loop',
): Arrows {
  const edges = [...arrows.edges];
  const indices = new Map(nodes.map(({ id }, i) => [id, i]));
  const entered = new Set(arrows.edges.map(({ to }) => to));
  // Outer loops first: an inner loop that begins its body is reached by what leads into that body.
  for (const loop of outerFirst(nodes)) {
    const index = indices.get(loop) ?? -1;
    const origins =
      origin === 'from loop' ? [index] : edges.filter(({ to }) => to === index).map(({ from }) => from);
    for (const [to, { parent }] of nodes.entries()) {
      if (parent === loop && !entered.has(to)) edges.push(...origins.map((from) => ({ from, to })));
    }
  }
  return { nodeCount: arrows.nodeCount, edges };
}

type Nodes = WorkflowDefinition['nodes'];

/** How many loops are around each node that has a body; missing for one that is inside itself. */
export function depthsOfLoops(nodes: Nodes): ReadonlyMap<string, number> {
  const parents = new Map(nodes.map(({ id, parent }) => [id, parent]));
  const depths = new Map<string, number>();
  for (const { parent } of nodes) {
    if (parent === undefined || depths.has(parent)) continue;
    const around = new Set<string>();
    let next = parents.get(parent);
    while (next !== undefined && !around.has(next)) {
      around.add(next);
      next = parents.get(next);
    }
    if (next === undefined) depths.set(parent, around.size);
  }
  return depths;
}

function outerFirst(nodes: Nodes): readonly string[] {
  return [...depthsOfLoops(nodes)].toSorted(([, a], [, b]) => a - b).map(([id]) => id);
}
