import { withBodies } from './bodies';
import { arrowsOf, indicesOf } from './check-edges';
import { expressionsIn, type PlacedReference } from './check-nodes';
import { pointerTo } from './pointer';
import type { Problem } from './problem';
import type { WorkflowDefinition } from './schema';
import { topology } from './topology';

/** Expressions that name what is not there when they are evaluated: nodes, or the items of loops. */
export function referenceProblems(
  definition: WorkflowDefinition,
  references: readonly PlacedReference[],
): readonly Problem[] {
  const check = new ReferenceCheck(definition);
  return [...references.flatMap((placed) => check.inNode(placed)), ...settingsProblems(definition)];
}

/** What an expression finds of the loops around it. */
const namesOfLoops: ReadonlySet<string> = new Set(['item', 'index', 'loops']);

class ReferenceCheck {
  readonly #nodes: WorkflowDefinition['nodes'];
  readonly #indices: ReadonlyMap<string, number>;
  readonly #ancestors: readonly ReadonlySet<number>[];
  readonly #ordered: ReadonlySet<number>;
  /** An expression that uses several names of loops has one problem, not several. */
  readonly #outside = new Set<string>();

  constructor(definition: WorkflowDefinition) {
    this.#nodes = definition.nodes;
    this.#indices = indicesOf(definition.nodes);
    // In the body of a loop everything may be used that comes before the loop.
    const { ancestors, order } = topology(withBodies(definition, arrowsOf(definition), 'before loop'));
    this.#ancestors = ancestors;
    this.#ordered = new Set(order);
  }

  inNode(placed: PlacedReference): readonly Problem[] {
    const { name, member } = placed.reference;
    if (namesOfLoops.has(name)) return this.#toLoop(placed);
    return name === 'nodes' && member !== undefined ? this.#toNode(placed, member) : [];
  }

  #toNode({ nodeIndex, pointer, expression }: PlacedReference, id: string): readonly Problem[] {
    const referred = this.#indices.get(id);
    if (referred === undefined) {
      const message = `${quoted(expression)} refers to the node ${id}, which does not exist.`;
      return [{ code: 'unknown_node_reference', pointer, message }];
    }
    // In and behind a cycle it can not be said what comes before what; the cycle is a problem already.
    if (!this.#ordered.has(nodeIndex) || this.#ancestors[nodeIndex]?.has(referred)) return [];
    const message = `${quoted(expression)} refers to the node ${id}, which does not run before this one on any path.`;
    return [{ code: 'reference_not_upstream', pointer, message }];
  }

  #toLoop({
    nodeIndex,
    pointer,
    expression,
    reference: { name, member },
  }: PlacedReference): readonly Problem[] {
    const around = this.#loopsAround(nodeIndex);
    const problem = (message: string): readonly Problem[] => {
      const key = `${pointer} ${expression}`;
      if (this.#outside.has(key)) return [];
      this.#outside.add(key);
      return [{ code: 'loop_reference_outside', pointer, message: `${quoted(expression)} ${message}` }];
    };
    if (around.size === 0) {
      return problem(
        `uses \`${name}\`, which is there only in the body of a loop, and this node is in none.`,
      );
    }
    if (name !== 'loops' || member === undefined || around.has(member)) return [];
    return problem(
      `uses the loop ${member}, which is not around this node. Around it: ${[...around].join(', ')}.`,
    );
  }

  #loopsAround(nodeIndex: number): ReadonlySet<string> {
    const around = new Set<string>();
    let next = this.#nodes[nodeIndex]?.parent;
    while (next !== undefined && !around.has(next)) {
      around.add(next);
      next = this.#nodes[this.#indices.get(next) ?? -1]?.parent;
    }
    return around;
  }
}

/** Expressions of settings are evaluated when a run is accepted: no node has run, and none is in a loop. */
function settingsProblems({ settings }: WorkflowDefinition): readonly Problem[] {
  const { key } = settings?.concurrency ?? {};
  const values = [
    ...(key === undefined ? [] : [{ value: key, pointer: pointerTo('settings', 'concurrency', 'key') }]),
    ...Object.entries(settings?.labels ?? {}).map(([label, value]) => ({
      value,
      pointer: pointerTo('settings', 'labels', label),
    })),
  ];
  return values.flatMap(({ value, pointer }) =>
    expressionsIn(value, pointer).references.flatMap(
      ({ expression, reference: { name } }): readonly Problem[] => {
        const message = `${quoted(expression)} uses \`${name}\`, which is not there when a run is accepted. Use \`trigger\`.`;
        if (name === 'nodes') return [{ code: 'reference_not_upstream', pointer, message }];
        return namesOfLoops.has(name) ? [{ code: 'loop_reference_outside', pointer, message }] : [];
      },
    ),
  );
}

function quoted(expression: string): string {
  return `The expression {{ ${expression.slice(0, 120)} }}`;
}
