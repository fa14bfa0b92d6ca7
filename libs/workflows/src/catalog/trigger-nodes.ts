import type { WorkflowDefinition } from '../definition/schema';
import type { NodeKindRegistry } from '../nodes/registry';
import { triggerWebhookNode } from '../nodes/trigger-webhook.node';

/** A node that starts runs. */
export interface TriggerNode {
  readonly nodeId: string;
  readonly type: string;
}

/** The triggers of a definition, in its order. Nodes of a type that this release does not know are none. */
export function triggersOf({ nodes }: WorkflowDefinition, kinds: NodeKindRegistry): readonly TriggerNode[] {
  return nodes
    .filter(({ type }) => kinds.get(type)?.role === 'trigger')
    .map(({ id, type }) => ({ nodeId: id, type }));
}

/** Whether runs of this trigger begin with a call of its own URL. */
export function isWebhook({ type }: TriggerNode): boolean {
  return type === triggerWebhookNode.type;
}
