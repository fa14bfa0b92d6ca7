import { z } from 'zod';
import type { JsonValue } from '../definition/json';
import type { NodeKind } from './node-kind';
import { jsonValue } from './param-schemas';

export interface RunWorkflowParams {
  readonly workflowId: string;
  readonly input?: JsonValue | undefined;
  readonly wait: boolean;
}

/**
 * Starts a run of another workflow of the workspace, by its trigger `trigger.workflow`. The run counts like any other.
 * Output: `{runId, output}` once it has succeeded; `{runId}` at once when it is not waited for. If this run is canceled or
 * fails meanwhile, the called one is canceled.
 */
export const runWorkflowNode: NodeKind<RunWorkflowParams> = {
  type: 'run.workflow',
  title: 'Run workflow',
  description: 'Starts a run of another workflow, and waits for its result unless told otherwise.',
  role: 'action',
  purity: 'effect',
  params: z.strictObject({
    workflowId: z.uuid().describe('A published workflow of this workspace.'),
    input: jsonValue.optional().describe('What the run is given as `trigger`; by default an empty object.'),
    wait: z.boolean().default(true).describe('Whether to wait for the end of the run.'),
  }),
  ports: () => ['out'],
  execute: ({ params: { workflowId, input, wait } }) => ({
    kind: 'call',
    workflowId,
    input: input ?? {},
    wait,
  }),
};
