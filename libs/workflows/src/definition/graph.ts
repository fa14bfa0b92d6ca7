import { compileTemplates, type CompiledTemplates } from '../expressions/template';
import type { NodeKind } from '../nodes/node-kind';
import type { NodeKindRegistry } from '../nodes/registry';
import type { RetryPolicy } from './policies';
import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from './schema';
import { topology } from './topology';

/** An edge by the numbers of its nodes. */
export interface GraphEdge {
  readonly from: number;
  readonly to: number;
  readonly port: string;
}

/** What a node says of its own failures; null where it says nothing. */
export interface NodePolicy {
  readonly timeoutMs: number | null;
  readonly retry: CompiledRetry | null;
  readonly onError: 'fail' | 'continue' | 'port' | null;
  readonly repeat: 'safe' | 'unsafe';
}

/** When a failed node is tried again. */
export type CompiledRetry = Omit<RetryPolicy, 'retryIf'> & { readonly retryIf: CompiledTemplates | null };

/** A node, ready to run. */
export interface GraphNode {
  /** Its place in its graph, which never changes in a version. */
  readonly index: number;
  /** Its place in the topological order. */
  readonly rank: number;
  readonly id: string;
  readonly name: string | undefined;
  readonly kind: NodeKind;
  readonly templates: CompiledTemplates;
  /** Names of the secrets that its params are given. */
  readonly secrets: readonly string[];
  /** Its expressions do more with secrets than pass them on; such a version cannot be published. */
  readonly misusesSecrets: boolean;
  readonly policy: NodePolicy;
  readonly join: 'all' | 'any';
  readonly incoming: readonly GraphEdge[];
  readonly outgoing: readonly GraphEdge[];
  /** The nodes of this graph whose outputs its expressions may use, in topological order. */
  readonly ancestors: readonly number[];
  /** What a loop does with each item; null for every other node. */
  readonly body: Graph | null;
}

/**
 * A definition, or the body of one of its loops, compiled for running: built once per version, never changed, shared by
 * all its runs. Numbers count the nodes of this graph alone.
 */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  /** Indices of all nodes, each behind those it depends on. */
  readonly order: readonly number[];
  /** Indices of the trigger nodes; a body has none. */
  readonly triggers: readonly number[];
  /** Indices of the nodes that no edge leads to. */
  readonly entries: readonly number[];
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
 * Compiles a definition that `validateDefinition` has accepted, with the bodies of its loops inside. Throws
 * `UnknownNodeKind` or `ExpressionError` when this release no longer accepts it.
 */
export function compileGraph(definition: WorkflowDefinition, kinds: NodeKindRegistry): Graph {
  return new Compiler(definition, kinds).graphOf(undefined);
}

/** Every secret that the nodes of a graph name, those in the bodies of its loops included. */
export function secretsOfGraph({ nodes }: Graph): readonly string[] {
  const names = nodes.flatMap(({ secrets, body }) => [
    ...secrets,
    ...(body === null ? [] : secretsOfGraph(body)),
  ]);
  return [...new Set(names)].toSorted();
}

function secretsIn({ expressions }: CompiledTemplates): readonly string[] {
  return [...new Set(expressions.flatMap(({ secrets }) => secrets.names))].toSorted();
}

class Compiler {
  constructor(
    private readonly definition: WorkflowDefinition,
    private readonly kinds: NodeKindRegistry,
  ) {}

  /** The nodes with this parent. A loop's own graph is inside it, so the recursion is as deep as loops are nested. */
  graphOf(parent: string | undefined): Graph {
    const members = this.definition.nodes.filter((node) => node.parent === parent);
    const indices = new Map(members.map(({ id }, i) => [id, i]));
    const indexOf = (id: string): number => {
      const index = indices.get(id);
      if (index === undefined) throw new Error(`The graph has no node ${id}.`);
      return index;
    };
    const edges = this.definition.edges
      .filter(({ from }) => indices.has(from))
      .map((edge) => compiledEdge(edge, indexOf));
    const { order, ancestors, cycles } = topology({ nodeCount: members.length, edges });
    if (cycles.length > 0) throw new Error('A workflow with a cycle can not be compiled.');
    const ranks = new Map(order.map((index, rank) => [index, rank]));
    const nodes = members.map((node, index): GraphNode => ({
      ...this.#node(node),
      index,
      rank: ranks.get(index) ?? 0,
      incoming: edges.filter(({ to }) => to === index),
      outgoing: edges.filter(({ from }) => from === index),
      ancestors: order.filter((other) => ancestors[index]?.has(other)),
    }));
    const triggers = nodes.filter(({ kind }) => kind.role === 'trigger').map(({ index }) => index);
    const entries = nodes.filter(({ incoming }) => incoming.length === 0).map(({ index }) => index);
    return { nodes, order, triggers, entries, indexOf };
  }

  #node(node: NodeDefinition): Omit<GraphNode, 'index' | 'rank' | 'incoming' | 'outgoing' | 'ancestors'> {
    const { id, name, type, params, join } = node;
    const kind = this.kinds.get(type);
    if (kind === undefined) throw new UnknownNodeKind(type, id);
    const body = kind.role === 'loop' ? this.graphOf(id) : null;
    const templates = compileTemplates(params, kind.literal);
    return {
      id,
      name,
      kind,
      templates,
      secrets: secretsIn(templates),
      misusesSecrets: templates.expressions.some(({ secrets }) => secrets.misuse !== null),
      policy: policyOf(node, kind),
      join,
      body,
    };
  }
}

function policyOf({ timeoutSeconds, retry, onError, repeat }: NodeDefinition, kind: NodeKind): NodePolicy {
  return {
    timeoutMs: timeoutSeconds === undefined ? null : Math.ceil(timeoutSeconds * 1000),
    retry: retry === undefined ? null : compiledRetry(retry),
    onError: onError ?? null,
    repeat: repeat ?? kind.repeat ?? 'safe',
  };
}

function compiledRetry({ retryIf, ...retry }: RetryPolicy): CompiledRetry {
  return { ...retry, retryIf: retryIf === undefined ? null : compileTemplates(retryIf) };
}

function compiledEdge({ from, to, port }: EdgeDefinition, indexOf: (id: string) => number): GraphEdge {
  return { from: indexOf(from), to: indexOf(to), port };
}
