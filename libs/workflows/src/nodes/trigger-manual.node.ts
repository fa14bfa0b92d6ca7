import { z } from 'zod';
import type { JsonObject } from '../definition/json';
import type { NodeKind } from './node-kind';
import { payloadSchema } from './payload-schema-param';

export interface TypedTriggerParams {
  /** JSON Schema of the input; anything goes without one. */
  readonly schema?: JsonObject | undefined;
}

/** What triggers have to set whose runs begin with an input that somebody gives. */
export const typedTriggerParams = z.strictObject({
  schema: payloadSchema
    .optional()
    .describe('JSON Schema of the input. A start with anything else is refused, with what does not fit.'),
});

/** Starts a run on request, by a person or through the API. Its output is the input of the run. */
export const triggerManualNode: NodeKind<TypedTriggerParams> = {
  type: 'trigger.manual',
  title: 'Manual start',
  description: 'Starts the workflow on request, with the input given to it.',
  role: 'trigger',
  purity: 'pure',
  literal: ['schema'],
  params: typedTriggerParams,
  ports: () => ['out'],
  execute: ({ trigger }) => ({ kind: 'done', output: trigger }),
};
