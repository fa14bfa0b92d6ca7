import type { NodeKind } from '../nodes/node-kind';
import type { NodeKindRegistry } from '../nodes/registry';
import { withBodies } from './bodies';
import { pointerTo } from './pointer';
import type { Problem } from './problem';
import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from './schema';
import { type Arrows, reachableFrom, topology } from './topology';

/** What is wrong with the edges, and with the graph that they make. */
export function edgeProblems(definition: WorkflowDefinition, kinds: NodeKindRegistry): readonly Problem[] {
  const check = new EdgeCheck(definition, kinds);
  return [
    ...definition.edges.flatMap((edge, i) => check.edge(edge, i)),
    ...check.cycles(),
    ...check.unreachable(),
  ];
}

/** The graph of a definition as far as its edges lead somewhere, without regard to loops. */
export function arrowsOf({ nodes, edges }: WorkflowDefinition): Arrows {
  const indices = indicesOf(nodes);
  return {
    nodeCount: nodes.length,
    edges: edges.flatMap((edge) => {
      const [from, to] = [indices.get(edge.from), indices.get(edge.to)];
      return from === undefined || to === undefined ? [] : [{ from, to }];
    }),
  };
}

/** Where each id stands; the first place, should an id be there twice. */
export function indicesOf(nodes: readonly NodeDefinition[]): ReadonlyMap<string, number> {
  return new Map(nodes.map(({ id }, i) => [id, i] as const).reverse());
}

class EdgeCheck {
  private readonly indices: ReadonlyMap<string, number>;
  private readonly arrows: Arrows;
  /** Ports per node type and params would be asked for again with each edge. */
  private readonly ports = new Map<NodeDefinition, readonly string[] | undefined>();
  private readonly seen = new Map<string, number>();

  constructor(
    private readonly definition: WorkflowDefinition,
    private readonly kinds: NodeKindRegistry,
  ) {
    this.indices = indicesOf(definition.nodes);
    this.arrows = arrowsOf(definition);
  }

  edge(edge: EdgeDefinition, i: number): readonly Problem[] {
    const problems = [
      this.end(edge, i, 'from'),
      this.end(edge, i, 'to'),
      this.port(edge, i),
      this.target(edge, i),
      this.across(edge, i),
    ];
    return [...problems, this.duplicate(edge, i), this.loop(edge, i)].filter(
      (problem) => problem !== undefined,
    );
  }

  cycles(): readonly Problem[] {
    // An edge from a node to itself has its own problem.
    const edges = this.arrows.edges.filter(({ from, to }) => from !== to);
    return topology({ ...this.arrows, edges }).cycles.map((cycle) => this.cycle(cycle));
  }

  unreachable(): readonly Problem[] {
    const { nodes } = this.definition;
    const triggers = nodes.flatMap(({ type }, i) => (this.roleOf(type) === 'trigger' ? [i] : []));
    // Without a trigger nothing is reachable, which is one problem and not one for each node.
    if (triggers.length === 0) return [];
    const reached = reachableFrom(triggers, withBodies(this.definition, this.arrows, 'from loop'));
    return nodes.flatMap(({ id }, i): readonly Problem[] => {
      if (reached.has(i) || this.indices.get(id) !== i) return [];
      const message = `No path leads from a trigger to the node ${id}. Connect it, or remove it.`;
      return [{ code: 'unreachable_node', pointer: pointerTo('nodes', i), message }];
    });
  }

  private end(edge: EdgeDefinition, i: number, side: 'from' | 'to'): Problem | undefined {
    if (this.indices.has(edge[side])) return undefined;
    const message = `There is no node ${edge[side]}. Connect the edge to a node, or remove it.`;
    return { code: 'dangling_edge', pointer: pointerTo('edges', i, side), message };
  }

  private port({ from, port }: EdgeDefinition, i: number): Problem | undefined {
    const node = this.nodeOf(from);
    const ports = node === undefined ? undefined : this.portsOf(node);
    if (ports === undefined || port === 'error' || ports.includes(port)) return undefined;
    const message = `The node ${from} has no port ${port}. It has ${[...ports, 'error'].join(', ')}.`;
    return { code: 'unknown_port', pointer: pointerTo('edges', i, 'port'), message };
  }

  private target({ to }: EdgeDefinition, i: number): Problem | undefined {
    const node = this.nodeOf(to);
    if (node === undefined || this.roleOf(node.type) !== 'trigger') return undefined;
    const message = `The node ${to} is a trigger: it begins runs, so no edge may lead to it.`;
    return { code: 'edge_into_trigger', pointer: pointerTo('edges', i, 'to'), message };
  }

  private across({ from, to }: EdgeDefinition, i: number): Problem | undefined {
    const [source, target] = [this.nodeOf(from), this.nodeOf(to)];
    if (source === undefined || target === undefined || source.parent === target.parent) return undefined;
    const message =
      `The edge leads from ${placeOf(source)} to ${placeOf(target)}. ` +
      'Edges stay inside one body; what comes behind a loop begins at the node of the loop itself.';
    return { code: 'edge_across_bodies', pointer: pointerTo('edges', i), message };
  }

  private duplicate({ from, port, to }: EdgeDefinition, i: number): Problem | undefined {
    const key = JSON.stringify([from, port, to]);
    const earlier = this.seen.get(key);
    if (earlier === undefined) {
      this.seen.set(key, i);
      return undefined;
    }
    const message = `The edge at /edges/${earlier} is the same: from ${from}, port ${port}, to ${to}. Remove one.`;
    return { code: 'duplicate_edge', pointer: pointerTo('edges', i), message };
  }

  private loop({ from, to }: EdgeDefinition, i: number): Problem | undefined {
    if (from !== to || !this.indices.has(from)) return undefined;
    const message = `This edge leads from the node ${from} back to itself. A node runs once; remove the edge.`;
    return { code: 'self_loop', pointer: pointerTo('edges', i), message };
  }

  private cycle(cycle: readonly number[]): Problem {
    const { nodes, edges } = this.definition;
    const ids = cycle.map((index) => nodes[index]?.id ?? '');
    const closing = edges.findIndex(({ from, to }) => from === ids.at(-1) && to === ids[0]);
    const message = `These nodes wait for each other in a circle: ${[...ids, ids[0]].join(' → ')}. Remove one of the edges.`;
    return { code: 'cycle', pointer: pointerTo('edges', closing), message };
  }

  private nodeOf(id: string): NodeDefinition | undefined {
    const index = this.indices.get(id);
    return index === undefined ? undefined : this.definition.nodes[index];
  }

  private roleOf(type: string): NodeKind['role'] | undefined {
    return this.kinds.get(type)?.role;
  }

  private portsOf(node: NodeDefinition): readonly string[] | undefined {
    if (!this.ports.has(node)) this.ports.set(node, this.kinds.get(node.type)?.ports(node.params));
    return this.ports.get(node);
  }
}

function placeOf({ id, parent }: NodeDefinition): string {
  return parent === undefined ? `the node ${id} outside loops` : `the node ${id} in the body of ${parent}`;
}
