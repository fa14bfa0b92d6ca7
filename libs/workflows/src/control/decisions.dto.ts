import { z } from 'zod';
import { pageQuery } from '#platform';

const iteration = z
  .string()
  .regex(/^(\d{1,9}(\.\d{1,9}){0,9})?$/, { error: 'must be as `3.1`, or empty outside loops' })
  .default('')
  .describe('Inside loops: the numbers of the items, outermost first, as `3.1`.');

/** Body of a decision. */
export const decisionBody = z
  .strictObject({
    nodeId: z.string().min(1).max(63),
    iteration,
    decision: z
      .enum(['repeat', 'skip', 'fail'])
      .describe('Do it once more; go on as if it had succeeded; take it as failed.'),
    attempt: z
      .int()
      .min(1)
      .max(32_767)
      .optional()
      .describe('The attempt of the evidence. Given, the decision is about that attempt and no later one.'),
    value: z.json().optional().describe('With `skip`: the output of the node.'),
    port: z
      .string()
      .min(1)
      .max(63)
      .optional()
      .describe('With `skip`: the output port taken; `out` by default.'),
  })
  .refine(({ decision, value, port }) => decision === 'skip' || (value === undefined && port === undefined), {
    error: 'may have "value" and "port" only with the decision "skip"',
  })
  .meta({ id: 'Decision' });

const waitingDecision = z
  .object({
    runId: z.uuid(),
    workflowId: z.uuid(),
    nodeId: z.string(),
    iteration: z.string(),
    evidence: z.object({ attempt: z.int(), startedAt: z.iso.datetime(), request: z.unknown() }),
  })
  .meta({ id: 'WaitingDecision' });

/** Counted in runs, since the nodes of a run are told together. */
export const decisionsQuery = pageQuery;
export const decisionsCursor = z.strictObject({ id: z.uuid() });
export const decisionsPage = z
  .object({ data: z.array(waitingDecision), hasMore: z.boolean(), nextCursor: z.string().nullable() })
  .meta({ id: 'WaitingDecisionPage' });

export type DecisionBody = z.output<typeof decisionBody>;
export type WaitingDecision = z.output<typeof waitingDecision>;
