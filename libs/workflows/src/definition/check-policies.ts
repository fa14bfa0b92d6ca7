import { parseTemplates } from '../expressions/template';
import type { NodeKind } from '../nodes/node-kind';
import type { NodeKindRegistry } from '../nodes/registry';
import { expressionsIn } from './check-nodes';
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
      ...misplacedProblems(node, i, kinds),
      ...conditionProblems(node, i),
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

type Policy = 'timeoutSeconds' | 'retry' | 'onError' | 'repeat';

/** Policies that would never have an effect on some nodes, and why. */
interface Misplaced {
  readonly policies: readonly Policy[];
  readonly reason: string;
}

const ofTriggers: Misplaced = {
  policies: ['timeoutSeconds', 'retry', 'onError', 'repeat'],
  reason: 'is a trigger, which can not fail',
};
const ofLoops: Misplaced = {
  policies: ['timeoutSeconds', 'retry', 'repeat'],
  reason: 'is a loop, whose items are not begun again: say it of the nodes in its body',
};
/** By purity. A kind that waits says in its params for how long. */
const ofActions: Readonly<Record<NodeKind['purity'], Misplaced>> = {
  pure: {
    policies: ['timeoutSeconds', 'repeat'],
    reason: 'takes no time of its own, and gives the same when it is repeated',
  },
  compute: { policies: ['repeat'], reason: 'only computes, and gives the same when it is repeated' },
  effect: { policies: [], reason: '' },
};

function misplacedOn(kind: NodeKind | undefined): Misplaced {
  if (kind === undefined) return ofActions.effect;
  if (kind.role === 'trigger') return ofTriggers;
  return kind.role === 'loop' ? ofLoops : ofActions[kind.purity];
}

function misplacedProblems(node: NodeDefinition, i: number, kinds: NodeKindRegistry): readonly Problem[] {
  const { policies, reason } = misplacedOn(kinds.get(node.type));
  return policies
    .filter((policy) => node[policy] !== undefined)
    .map((policy) => ({
      code: 'policy_conflict',
      pointer: pointerTo('nodes', i, policy),
      message: `The node ${node.id} ${reason}. Remove ${policy}.`,
    }));
}

/** Text, with or without expressions in it, is never true: the node would not be tried again, and nobody would know why. */
function conditionProblems({ id, retry }: NodeDefinition, i: number): readonly Problem[] {
  if (retry?.retryIf === undefined) return [];
  const { templates, errors } = parseTemplates(retry.retryIf);
  if (errors.length > 0 || templates.root.kind === 'value') return [];
  const message = `The condition under which ${id} is tried again must be one expression, as \`{{ error.code = 'node.timeout' }}\`.`;
  return [{ code: 'expression_syntax', pointer: pointerTo('nodes', i, 'retry', 'retryIf'), message }];
}

function expressionProblems(value: string | undefined, pointer: string): readonly Problem[] {
  return value === undefined ? [] : expressionsIn(value, pointer).problems;
}
