import { conditionNode } from './condition.node';
import { delayNode } from './delay.node';
import { failNode } from './fail.node';
import { forEachNode } from './for-each.node';
import { formatNode } from './format/format.node';
import type { NodeKind } from './node-kind';
import { respondNode } from './respond.node';
import { runWorkflowNode } from './run-workflow.node';
import { setNode } from './set.node';
import { switchNode } from './switch.node';
import { triggerErrorNode } from './trigger-error.node';
import { triggerManualNode } from './trigger-manual.node';
import { triggerScheduleNode } from './trigger-schedule.node';
import { triggerWebhookNode } from './trigger-webhook.node';
import { triggerWorkflowNode } from './trigger-workflow.node';
import { waitCallbackNode } from './wait-callback.node';

/** The kinds that need nothing from outside. Kinds with effects are made by factories and added to these. */
export function builtinKinds(): readonly NodeKind[] {
  return [
    triggerManualNode,
    triggerScheduleNode,
    triggerWebhookNode,
    triggerWorkflowNode,
    triggerErrorNode,
    conditionNode,
    switchNode,
    forEachNode,
    setNode,
    delayNode,
    waitCallbackNode,
    runWorkflowNode,
    failNode,
    respondNode,
    formatNode,
  ];
}
