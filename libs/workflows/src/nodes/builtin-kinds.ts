import { conditionNode } from './condition.node';
import { delayNode } from './delay.node';
import { failNode } from './fail.node';
import type { NodeKind } from './node-kind';
import { setNode } from './set.node';
import { switchNode } from './switch.node';
import { triggerManualNode } from './trigger-manual.node';
import { triggerWebhookNode } from './trigger-webhook.node';

/** The kinds that need nothing from outside. Kinds with effects are made by factories and added to these. */
export function builtinKinds(): readonly NodeKind[] {
  return [triggerManualNode, triggerWebhookNode, conditionNode, switchNode, setNode, delayNode, failNode];
}
