import { z } from 'zod';
import type { JsonObject } from '../definition/json';
import type { NodeKind } from './node-kind';
import { jsonObject } from './param-schemas';

export interface TriggerManualParams {
  /** JSON Schema of the input; whoever starts the run checks the input against it. */
  readonly input?: JsonObject | undefined;
}

/** Starts a run on request, by a person or through the API. Its output is the input of the run. */
export const triggerManualNode: NodeKind<TriggerManualParams> = {
  type: 'trigger.manual',
  title: 'Manual start',
  description: 'Starts the workflow on request, with the input given to it.',
  role: 'trigger',
  purity: 'pure',
  params: z.strictObject({ input: jsonObject.optional() }),
  ports: () => ['out'],
  execute: ({ trigger }) => ({ kind: 'done', output: trigger }),
};
