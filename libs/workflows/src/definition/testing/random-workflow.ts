import fc from 'fast-check';
import { z } from 'zod';
import { forEachNode } from '../../nodes/for-each.node';
import type { NodeKind } from '../../nodes/node-kind';
import { NodeKindRegistry } from '../../nodes/registry';
import type { LoopItems, PlaceError, PlaceResult } from '../results';
import type { WorkflowDefinition } from '../schema';
import { validateDefinition } from '../validate';
import { keyOf, type Script } from './reference-run';

const kind = (type: string, role: NodeKind['role']): NodeKind => ({
  type,
  title: type,
  description: type,
  role,
  purity: 'pure',
  params: z.unknown(),
  ports: () => ['out', 'a'],
  execute: () => ({ kind: 'done', output: null }),
});

/** What random workflows are made of. A loop is the real one. */
export const testKinds = new NodeKindRegistry([
  kind('trigger.test', 'trigger'),
  kind('test', 'action'),
  forEachNode,
]);

/** A valid definition, and what its nodes give. */
export interface RandomWorkflow {
  readonly definition: WorkflowDefinition;
  readonly trigger: string;
  readonly script: Script;
}

/** Loops are nested three deep at most; the deeper, the fewer items. */
const mostItems = [5, 3, 2] as const;

interface NodeShape {
  /** Where it stands in the definition, which need not be the order of the edges. */
  readonly place: number;
  readonly join: 'all' | 'any';
  readonly onError: 'continue' | 'fail' | null;
  readonly loop: LoopShape | null;
}

interface LoopShape {
  readonly concurrency: number;
  readonly onItemError: 'fail' | 'continue';
  /** Number of a node of the body. */
  readonly collect: number | null;
  readonly body: BodyShape;
}

interface BodyShape {
  readonly nodes: readonly NodeShape[];
  readonly arrows: readonly { readonly from: number; readonly to: number; readonly port: string }[];
}

/** What one execution gives, drawn for it by its node and iteration. */
interface Behaviour {
  readonly fails: boolean;
  readonly ports: readonly string[];
  readonly hasDetails: boolean;
  readonly items: number;
}

const bodies = (depth: number): fc.Arbitrary<BodyShape> =>
  fc.record({
    nodes: fc.array(nodeShapes(depth), { minLength: depth === 0 ? 2 : 1, maxLength: depth === 0 ? 7 : 4 }),
    arrows: fc.array(
      fc.record({
        from: fc.nat(depth === 0 ? 6 : 3),
        to: fc.nat(depth === 0 ? 6 : 3),
        port: fc.constantFrom('out', 'out', 'out', 'a', 'error'),
      }),
      { maxLength: depth === 0 ? 12 : 6, size: 'max' },
    ),
  });

const nodeShapes = (depth: number): fc.Arbitrary<NodeShape> =>
  fc.record({
    place: fc.nat(1_000),
    join: fc.constantFrom('all' as const, 'any' as const),
    onError: fc.constantFrom(null, null, 'continue' as const, 'fail' as const),
    loop: depth < mostItems.length ? fc.option(loopShapes(depth + 1), { freq: 2 }) : fc.constant(null),
  });

const loopShapes = (depth: number): fc.Arbitrary<LoopShape> =>
  fc.record({
    concurrency: fc.integer({ min: 1, max: 4 }),
    onItemError: fc.constantFrom('fail' as const, 'continue' as const),
    collect: fc.option(fc.nat(3), { freq: 2 }),
    body: bodies(depth),
  });

const behaviours = fc.integer({ min: 0, max: 6 }).chain((failureWeight) =>
  fc.array(
    fc.record({
      fails: fc.oneof(
        { weight: 24, arbitrary: fc.constant(false) },
        { weight: failureWeight, arbitrary: fc.constant(true) },
      ),
      ports: fc.oneof(
        { weight: 3, arbitrary: fc.constant(['out']) },
        { weight: 2, arbitrary: fc.subarray(['out', 'a']) },
      ),
      hasDetails: fc.boolean(),
      items: fc.nat(5),
    }),
    { minLength: 1, maxLength: 60, size: 'max' },
  ),
);

/** Workflows with branches, joins, failures of every treatment, and loops in loops. */
export const randomWorkflows: fc.Arbitrary<RandomWorkflow> = fc
  .record({ root: bodies(0), behaviours, other: fc.option(fc.nat(6)) })
  .map(({ root, behaviours: table, other }) => {
    const flat = new Flattened(root, other);
    const valid = validateDefinition(flat.definition(), testKinds);
    if (!valid.ok) throw new Error(`Not valid: ${JSON.stringify([valid.problems, flat.definition()])}`);
    return { definition: valid.definition, trigger: 'n0', script: new Drawn(table, flat.loops) };
  });

/** Names that every object has by inheritance are names like any other. */
const inheritedNames = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', 'isPrototypeOf'];

interface Edge {
  readonly from: string;
  readonly port: string;
  readonly to: string;
}

interface DrawnLoop {
  readonly mostItems: number;
  readonly given: Omit<LoopItems, 'items'>;
}

/** A definition with everything named; what would make it invalid is left out. */
class Flattened {
  readonly loops = new Map<string, DrawnLoop>();
  readonly #nodes: { readonly place: number; readonly node: object }[] = [];
  readonly #edges = new Map<string, Edge>();
  #named = 0;

  constructor(root: BodyShape, other: number | null) {
    const names = this.#body(root, undefined, 0);
    // Another trigger, and what it would begin.
    const target = other === null || other === 0 ? undefined : names[other];
    if (target === undefined) return;
    this.#nodes.push({ place: 500, node: { id: 'other', type: 'trigger.test' } });
    this.#connect({ from: 'other', port: 'out', to: target });
  }

  definition(): object {
    const nodes = this.#nodes.toSorted((a, b) => a.place - b.place).map(({ node }) => node);
    return { nodes, edges: [...this.#edges.values()] };
  }

  #body({ nodes, arrows }: BodyShape, parent: string | undefined, depth: number): readonly string[] {
    const names = nodes.map(() => this.#name());
    for (const { from, to, port } of arrows) {
      const [low, high] = [Math.min(from, to), Math.max(from, to)];
      const [source, target] = [names[low], names[high]];
      if (source === undefined || target === undefined || low === high) continue;
      this.#connect({ from: source, port: port === 'a' && nodes[low]?.loop ? 'out' : port, to: target });
    }
    for (const [i, shape] of nodes.entries()) {
      const id = names[i] ?? '';
      const isTrigger = parent === undefined && i === 0;
      if (isTrigger) {
        this.#nodes.push({ place: shape.place, node: { id, type: 'trigger.test' } });
        continue;
      }
      const isEntry = ![...this.#edges.values()].some(({ to }) => to === id);
      if (isEntry && parent === undefined) this.#connect({ from: names[0] ?? '', port: 'out', to: id });
      const { place, join } = shape;
      const node = { id, join, ...(parent !== undefined && { parent }), ...this.#onError(id, shape.onError) };
      this.#nodes.push({ place, node: { ...node, ...this.#kindOf(id, shape.loop, depth) } });
    }
    return names;
  }

  #kindOf(id: string, loop: LoopShape | null, depth: number): object {
    if (loop === null) return { type: 'test' };
    const names = this.#body(loop.body, id, depth + 1);
    const { concurrency, onItemError } = loop;
    const collect = loop.collect === null ? null : (names[loop.collect] ?? null);
    this.loops.set(id, { mostItems: mostItems[depth] ?? 0, given: { concurrency, onItemError, collect } });
    const params = { items: [], concurrency, onItemError, ...(collect !== null && { collect }) };
    return { type: 'for_each', params };
  }

  /** An edge of the port `error` is the author's word already; some say so twice. */
  #onError(id: string, onError: NodeShape['onError']): object {
    const hasErrorEdge = [...this.#edges.values()].some(({ from, port }) => from === id && port === 'error');
    if (hasErrorEdge) return onError === 'continue' ? { onError: 'port' } : {};
    return onError === null ? {} : { onError };
  }

  #connect(edge: Edge): void {
    this.#edges.set(`${edge.from}:${edge.port}>${edge.to}`, edge);
  }

  #name(): string {
    const number = this.#named;
    this.#named += 1;
    return (number % 3 === 2 ? inheritedNames[(number - 2) / 3] : undefined) ?? `n${number}`;
  }
}

/** Each execution gives what was drawn for it, however often it is repeated. */
class Drawn implements Script {
  constructor(
    private readonly table: readonly Behaviour[],
    private readonly loops: ReadonlyMap<string, DrawnLoop>,
  ) {}

  resultOf(nodeId: string, iteration: string): PlaceResult {
    const { fails, ports } = this.#of(nodeId, iteration);
    if (fails && nodeId !== 'n0') return { status: 'failed', error: this.#error(nodeId, iteration) };
    return { status: 'succeeded', ports, output: keyOf(nodeId, iteration) };
  }

  itemsOf(nodeId: string, iteration: string): LoopItems | PlaceError {
    const loop = this.loops.get(nodeId);
    const { fails, items } = this.#of(nodeId, iteration);
    if (fails || loop === undefined) return this.#error(nodeId, iteration);
    const length = items % (loop.mostItems + 1);
    const list = Array.from({ length }, (_, i) => `${keyOf(nodeId, iteration)}#${i}`);
    return { items: list, ...loop.given };
  }

  #error(nodeId: string, iteration: string): PlaceError {
    const at = keyOf(nodeId, iteration);
    const error = { code: 'custom.broken', message: `${at} is broken.` };
    return this.#of(nodeId, iteration).hasDetails ? { ...error, details: { at } } : error;
  }

  #of(nodeId: string, iteration: string): Behaviour {
    let hash = 7;
    for (const letter of keyOf(nodeId, iteration))
      hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003;
    const drawn = this.table[hash % this.table.length];
    if (drawn === undefined) throw new Error('The table is empty.');
    return drawn;
  }
}
