import type { NodeKindRegistry } from '../nodes/registry';
import { depthsOfLoops } from './bodies';
import { pointerTo } from './pointer';
import type { Problem } from './problem';
import { definitionLimits, type NodeDefinition, type WorkflowDefinition } from './schema';

/** What is wrong with loops and the nodes in their bodies. */
export function bodyProblems({ nodes }: WorkflowDefinition, kinds: NodeKindRegistry): readonly Problem[] {
  const check = new BodyCheck(nodes, kinds);
  return nodes.flatMap((node, i) => [...check.parent(node, i), ...check.body(node, i)]);
}

class BodyCheck {
  private readonly byId: ReadonlyMap<string, NodeDefinition>;
  private readonly depths: ReadonlyMap<string, number>;

  constructor(
    private readonly nodes: readonly NodeDefinition[],
    private readonly kinds: NodeKindRegistry,
  ) {
    this.byId = new Map(nodes.map((node) => [node.id, node]));
    this.depths = depthsOfLoops([...nodes]);
  }

  /** The loop that a node says it is inside of. */
  parent({ id, type, parent }: NodeDefinition, i: number): readonly Problem[] {
    if (parent === undefined) return [];
    const pointer = pointerTo('nodes', i, 'parent');
    const loop = this.byId.get(parent);
    if (loop === undefined || this.kinds.get(loop.type)?.role !== 'loop') {
      const what = loop === undefined ? 'There is no such node' : `The node ${parent} is no loop`;
      return [{ code: 'unknown_parent', pointer, message: `${what}. Name a node of the type for_each.` }];
    }
    const depth = this.depths.get(parent);
    if (depth === undefined) {
      const message = `The node ${id} is inside of itself: following parent from node to node comes back to it.`;
      return [{ code: 'parent_cycle', pointer, message }];
    }
    if (depth >= definitionLimits.loopDepth) {
      const message = `Loops are nested more than ${definitionLimits.loopDepth} deep. Put the inner ones into a workflow of their own.`;
      return [{ code: 'nested_too_deep', pointer, message }];
    }
    if (this.kinds.get(type)?.role !== 'trigger') return [];
    const message = `The node ${id} is a trigger: it begins runs, so it can not be in the body of a loop.`;
    return [{ code: 'trigger_in_body', pointer, message }];
  }

  /** What a loop has inside. */
  body({ id, type, params }: NodeDefinition, i: number): readonly Problem[] {
    if (this.kinds.get(type)?.role !== 'loop') return [];
    const members = this.nodes.filter(({ parent }) => parent === id);
    if (members.length === 0) {
      const message = `The loop ${id} has no body. Give the nodes that are to run for each item \`"parent": "${id}"\`.`;
      return [{ code: 'empty_body', pointer: pointerTo('nodes', i), message }];
    }
    const collect = params['collect'];
    if (typeof collect !== 'string' || members.some((member) => member.id === collect)) return [];
    const message = `The body of ${id} has no node ${collect}. It has ${members.map((member) => member.id).join(', ')}.`;
    return [{ code: 'unknown_collect', pointer: pointerTo('nodes', i, 'params', 'collect'), message }];
  }
}
