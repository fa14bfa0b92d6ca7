import { compileTemplates, type CompiledTemplates } from '../expressions/template';
import type { NodeKind } from '../nodes/node-kind';
import type { NodeKindRegistry } from '../nodes/registry';
import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from './schema';
import { topology } from './topology';

/** An edge by the numbers of its nodes. */
export interface GraphEdge {
  readonly from: number;
  readonly to: number;
  readonly port: string;
}

/** A node, ready to run. */
export interface GraphNode {
  /** Its place in the definition, which never changes in a version. */
  readonly index: number;
  /** Its place in the topological order. */
  readonly rank: number;
  readonly id: string;
  readonly name: string | undefined;
  readonly kind: NodeKind;
  readonly templates: CompiledTemplates;
  readonly join: 'all' | 'any';
  readonly incoming: readonly GraphEdge[];
  readonly outgoing: readonly GraphEdge[];
  /** The nodes whose outputs its expressions may use, in topological order. */
  readonly ancestors: readonly number[];
}

/** A definition compiled for running: built once per version, never changed, shared by all its runs. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  /** Indices of all nodes, each behind those it depends on. */
  readonly order: readonly number[];
  /** Indices of the trigger nodes. */
  readonly triggers: readonly number[];
  /** The index of the node with that id. Throws when there is none: ids come from the version itself. */
  indexOf(id: string): number;
}

/** Thrown for a version that uses a kind of node which this installation does not have. */
class UnknownNodeKind extends Error {
  constructor(
    readonly type: string,
    readonly nodeId: string,
  ) {
    super(`The node ${nodeId} is of the type ${type}, which is not installed here.`);
  }
}

/**
 * Compiles a definition that `validateDefinition` has accepted. Throws `UnknownNodeKind` or `ExpressionError` when
 * this release no longer accepts it.
 */
export function compileGraph(definition: WorkflowDefinition, kinds: NodeKindRegistry): Graph {
  const indices = new Map(definition.nodes.map(({ id }, i) => [id, i]));
  const indexOf = (id: string): number => {
    const index = indices.get(id);
    if (index === undefined) throw new Error(`The workflow has no node ${id}.`);
    return index;
  };
  const edges = definition.edges.map((edge) => compiledEdge(edge, indexOf));
  const { order, ancestors, cycles } = topology({ nodeCount: definition.nodes.length, edges });
  if (cycles.length > 0) throw new Error('A workflow with a cycle can not be compiled.');
  const ranks = new Map(order.map((index, rank) => [index, rank]));
  const nodes = definition.nodes.map((node, index): GraphNode => ({
    ...compiledNode(node, kinds),
    index,
    rank: ranks.get(index) ?? 0,
    incoming: edges.filter(({ to }) => to === index),
    outgoing: edges.filter(({ from }) => from === index),
    ancestors: order.filter((other) => ancestors[index]?.has(other)),
  }));
  const triggers = nodes.filter(({ kind }) => kind.role === 'trigger').map(({ index }) => index);
  return { nodes, order, triggers, indexOf };
}

function compiledEdge({ from, to, port }: EdgeDefinition, indexOf: (id: string) => number): GraphEdge {
  return { from: indexOf(from), to: indexOf(to), port };
}

function compiledNode(
  { id, name, type, params, join }: NodeDefinition,
  kinds: NodeKindRegistry,
): Pick<GraphNode, 'id' | 'name' | 'kind' | 'templates' | 'join'> {
  const kind = kinds.get(type);
  if (kind === undefined) throw new UnknownNodeKind(type, id);
  return { id, name, kind, templates: compileTemplates(params), join };
}
