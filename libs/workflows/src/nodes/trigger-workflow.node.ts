import type { NodeKind } from './node-kind';
import { type TypedTriggerParams, typedTriggerParams } from './trigger-manual.node';

/** Starts a run when a node of another workflow calls this one. Its output is what the call gives. */
export const triggerWorkflowNode: NodeKind<TypedTriggerParams> = {
  type: 'trigger.workflow',
  title: 'Called by a workflow',
  description: 'Starts the workflow when a node of another one runs it.',
  role: 'trigger',
  purity: 'pure',
  literal: ['schema'],
  params: typedTriggerParams,
  ports: () => ['out'],
  execute: ({ trigger }) => ({ kind: 'done', output: trigger }),
};
