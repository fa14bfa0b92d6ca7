import { z } from 'zod';
import type { JsonObject } from '../definition/json';
import { longestSeconds } from '../definition/policies';
import type { NodeKind } from './node-kind';
import { payloadSchema } from './payload-schema-param';

export interface WaitCallbackParams {
  readonly schema?: JsonObject | undefined;
  readonly timeoutSeconds?: number | undefined;
}

/**
 * Waits until somebody calls the node's address, which every expression of the run knows as `run.callbacks.<id>`, also
 * before the node begins. A call that comes early is kept. Output: the body of the call.
 */
export const waitCallbackNode: NodeKind<WaitCallbackParams> = {
  type: 'wait.callback',
  title: 'Wait for a call',
  description:
    'Waits until its address is called, and gives what was sent. Takes the port `timeout` when nobody calls in time.',
  role: 'action',
  purity: 'pure',
  calledBack: true,
  literal: ['schema'],
  params: z.strictObject({
    schema: payloadSchema
      .optional()
      .describe(
        'JSON Schema of what may be sent. A call with anything else is refused, and the node goes on waiting.',
      ),
    timeoutSeconds: z
      .number()
      .positive()
      .max(longestSeconds)
      .optional()
      .describe('How long to wait at most; by default as long as the run may take.'),
  }),
  ports: () => ['out', 'timeout'],
  execute: ({ params: { timeoutSeconds }, now }) => ({
    kind: 'wait',
    on: 'callback',
    resumeAt:
      timeoutSeconds === undefined ? null : new Date(now.getTime() + Math.round(timeoutSeconds * 1000)),
  }),
  resume: ({ message }) =>
    message === undefined
      ? { kind: 'done', output: null, ports: ['timeout'] }
      : { kind: 'done', output: message },
};
