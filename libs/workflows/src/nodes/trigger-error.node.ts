import { z } from 'zod';
import type { NodeKind } from './node-kind';

/**
 * Starts a run for each run that fails of the workflows that name this one as their error workflow. Its output:
 * `{run: {id, workflowId, trigger, startedBy, createdAt, failedAt}, error, input}`.
 */
export const triggerErrorNode: NodeKind<Readonly<Record<string, never>>> = {
  type: 'trigger.error',
  title: 'A run failed',
  description: 'Starts the workflow when a run fails of one that names it as its error workflow.',
  role: 'trigger',
  purity: 'pure',
  params: z.strictObject({}),
  ports: () => ['out'],
  execute: ({ trigger }) => ({ kind: 'done', output: trigger }),
};
