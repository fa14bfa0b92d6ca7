import { parseTemplates } from '../expressions/template';
import type { NodeKindRegistry } from '../nodes/registry';
import { pointerTo } from './pointer';
import type { Problem } from './problem';
import type { NodeDefinition, WorkflowDefinition } from './schema';

/** What is wrong with what nodes say of their failures, and with the settings of the workflow. */
export function policyProblems(
  { nodes, edges, settings }: WorkflowDefinition,
  kinds: NodeKindRegistry,
): readonly Problem[] {
  const withErrorEdge = new Set(edges.filter(({ port }) => port === 'error').map(({ from }) => from));
  return [
    ...nodes.flatMap((node, i) => [
      ...onErrorProblems(node, i, { kinds, hasErrorEdge: withErrorEdge.has(node.id) }),
      ...triggerProblems(node, i, kinds),
      ...expressionProblems(node.retry?.retryIf, pointerTo('nodes', i, 'retry', 'retryIf')),
    ]),
    ...expressionProblems(settings?.concurrency?.key, pointerTo('settings', 'concurrency', 'key')),
    ...Object.entries(settings?.labels ?? {}).flatMap(([name, value]) =>
      expressionProblems(value, pointerTo('settings', 'labels', name)),
    ),
  ];
}

function onErrorProblems(
  { id, type, params, onError }: NodeDefinition,
  i: number,
  { kinds, hasErrorEdge }: { readonly kinds: NodeKindRegistry; readonly hasErrorEdge: boolean },
): readonly Problem[] {
  const conflict = (message: string): readonly Problem[] => [
    { code: 'policy_conflict', pointer: pointerTo('nodes', i, 'onError'), message },
  ];
  if (onError === 'port' && !hasErrorEdge) {
    return conflict(`No edge leaves the port error of ${id}. Draw one, or choose another onError.`);
  }
  if (onError !== undefined && onError !== 'port' && hasErrorEdge) {
    return conflict(
      `An edge leaves the port error of ${id}, and would never be taken. Remove it, or use \`port\`.`,
    );
  }
  if (onError === 'continue' && !(kinds.get(type)?.ports(params).includes('out') ?? true)) {
    return conflict(`The node ${id} has no port out to go on by. Draw an edge from its port error instead.`);
  }
  return [];
}

/** A trigger only hands on what started the run: there is nothing to try again. */
function triggerProblems(node: NodeDefinition, i: number, kinds: NodeKindRegistry): readonly Problem[] {
  if (kinds.get(node.type)?.role !== 'trigger') return [];
  const policies = ['timeoutSeconds', 'retry', 'onError', 'repeat'] as const;
  return policies
    .filter((policy) => node[policy] !== undefined)
    .map((policy) => ({
      code: 'policy_conflict',
      pointer: pointerTo('nodes', i, policy),
      message: `The node ${node.id} is a trigger, which can not fail. Remove ${policy}.`,
    }));
}

function expressionProblems(value: string | undefined, pointer: string): readonly Problem[] {
  if (value === undefined) return [];
  return parseTemplates(value).errors.map(({ message, position }) => ({
    code: 'expression_syntax',
    pointer,
    message: position === undefined ? message : `${message} (at character ${position})`,
  }));
}
