import { z } from 'zod';
import type { NodeKind } from './node-kind';

/** Starts a run when a node of another workflow calls this one. Its output is what the call gives. */
export const triggerWorkflowNode: NodeKind<Readonly<Record<string, never>>> = {
  type: 'trigger.workflow',
  title: 'Called by a workflow',
  description: 'Starts the workflow when a node of another one runs it.',
  role: 'trigger',
  purity: 'pure',
  params: z.strictObject({}),
  ports: () => ['out'],
  execute: ({ trigger }) => ({ kind: 'done', output: trigger }),
};
