import { z } from 'zod';
import type { NodeKind } from './node-kind';

/** The manual trigger has nothing to set. */
export type TriggerManualParams = Readonly<Record<string, never>>;

/** Starts a run on request, by a person or through the API. Its output is the input of the run. */
export const triggerManualNode: NodeKind<TriggerManualParams> = {
  type: 'trigger.manual',
  title: 'Manual start',
  description: 'Starts the workflow on request, with the input given to it.',
  role: 'trigger',
  purity: 'pure',
  params: z.strictObject({}),
  ports: () => ['out'],
  execute: ({ trigger }) => ({ kind: 'done', output: trigger }),
};
