import { withBodies } from './bodies';
import { arrowsOf, indicesOf } from './check-edges';
import type { PlacedReference } from './check-nodes';
import type { Problem } from './problem';
import type { WorkflowDefinition } from './schema';
import { topology } from './topology';

/** Expressions that name a node which does not exist, or which has not run when they are evaluated. */
export function referenceProblems(
  definition: WorkflowDefinition,
  references: readonly PlacedReference[],
): readonly Problem[] {
  const indices = indicesOf(definition.nodes);
  // In the body of a loop everything may be used that comes before the loop.
  const { ancestors, order } = topology(withBodies(definition, arrowsOf(definition), 'before loop'));
  const ordered = new Set(order);
  return references.flatMap(({ nodeIndex, pointer, expression, referredId }): readonly Problem[] => {
    const quoted = `The expression {{ ${expression.slice(0, 120)} }}`;
    const referred = indices.get(referredId);
    if (referred === undefined) {
      const message = `${quoted} refers to the node ${referredId}, which does not exist.`;
      return [{ code: 'unknown_node_reference', pointer, message }];
    }
    // In and behind a cycle it can not be said what comes before what; the cycle is a problem already.
    if (!ordered.has(nodeIndex) || ancestors[nodeIndex]?.has(referred)) return [];
    const message = `${quoted} refers to the node ${referredId}, which does not run before this one on any path.`;
    return [{ code: 'reference_not_upstream', pointer, message }];
  });
}
