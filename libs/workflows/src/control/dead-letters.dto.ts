import { z } from 'zod';
import { pageQuery, pageSchema } from '#platform';
import { failureOf, failureView } from '../runs/runs.dto';
import type { DeadLetterRow, FullLetter } from './dead-letters.sql';
import { versionChoice } from './rerun.dto';

const states = ['open', 'requeued', 'discarded'] as const;

const deadLetterSummary = z
  .object({
    runId: z.uuid().describe('The run that failed. It may be gone from the history.'),
    workflowId: z.uuid(),
    version: z.int(),
    state: z.enum(states),
    trigger: z.object({ nodeId: z.string(), type: z.string() }),
    startedBy: z.string(),
    error: failureView.nullable(),
    createdAt: z.iso.datetime(),
    failedAt: z.iso.datetime(),
    requeuedRunId: z.uuid().nullable().describe('The run that it was requeued as.'),
    settledBy: z.string().nullable().describe('Who requeued or discarded it.'),
    settledAt: z.iso.datetime().nullable(),
    errorRunId: z.uuid().nullable().describe('The run of the error workflow that was told of it.'),
  })
  .meta({ id: 'DeadLetterSummary' });

export const deadLetterView = deadLetterSummary.extend({ input: z.unknown() }).meta({ id: 'DeadLetter' });
export const deadLettersPage = pageSchema(deadLetterSummary);

export const deadLettersQuery = pageQuery.extend({
  workflowId: z.uuid().optional().describe('Runs of this workflow only.'),
  state: z.enum(states).optional(),
  errorCode: z.string().min(1).max(100).optional().describe('As `node.timeout`.'),
  from: z.iso.datetime().optional().describe('Failed then or later.'),
  to: z.iso.datetime().optional().describe('Failed before then.'),
});

export const deadLettersCursor = z.strictObject({ failedAt: z.iso.datetime(), id: z.uuid() });

/** `asOf` is when the first of the calls was made that go on from one another. */
export const retryCursor = z.strictObject({
  failedAt: z.iso.datetime(),
  id: z.uuid(),
  asOf: z.iso.datetime(),
});

/** Body of a requeue. */
export const requeueBody = z
  .strictObject({ version: versionChoice })
  .default({ version: 'same' })
  .meta({ id: 'Requeue' });

export const requeuedRun = z
  .object({ id: z.uuid().describe('The run that it was requeued as.') })
  .meta({ id: 'RequeuedRun' });

/** Body of a bulk retry. */
export const retryBody = z
  .strictObject({
    workflowId: z.uuid().optional().describe('Runs of this workflow only.'),
    errorCode: z.string().min(1).max(100).optional(),
    from: z.iso.datetime().optional().describe('Failed then or later.'),
    to: z.iso.datetime().optional().describe('Failed before then.'),
    limit: z.int().min(1).max(1_000).default(100).describe('How many runs are taken up at most.'),
    cursor: z.string().min(1).max(1_000).optional().describe('Goes on behind an earlier answer.'),
    version: versionChoice,
  })
  .meta({ id: 'RetryRuns' });

export const retried = z
  .object({
    retried: z.int().describe('Runs that were started.'),
    alreadyRetried: z.int().describe('Taken up or discarded by somebody else meanwhile.'),
    notRunnable: z
      .int()
      .describe(
        'Their workflow is archived, or the version has no such trigger or takes no such input. They stay open.',
      ),
    refused: z
      .object({ code: z.string(), detail: z.string() })
      .nullable()
      .describe('Why it stopped: the first refusal. What was not started stays open.'),
    more: z.boolean().describe('Whether there may be further ones.'),
    cursor: z.string().nullable().describe('Where to go on; null when nothing is left.'),
  })
  .meta({ id: 'RetriedRuns' });

export type DeadLettersQuery = z.output<typeof deadLettersQuery>;
export type DeadLetterSummary = z.output<typeof deadLetterSummary>;
export type DeadLetterView = z.output<typeof deadLetterView>;
export type RetryRequest = z.output<typeof retryBody>;
export type Retried = z.output<typeof retried>;

export function toLetterSummary(row: DeadLetterRow): DeadLetterSummary {
  return {
    runId: row.runId,
    workflowId: row.workflowId,
    version: row.versionNumber,
    state: row.state,
    trigger: { nodeId: row.triggerNode, type: row.triggerKind },
    startedBy: row.startedBy,
    error: failureOf(row.error),
    createdAt: row.createdAt.toISOString(),
    failedAt: row.failedAt.toISOString(),
    requeuedRunId: row.requeuedRunId,
    settledBy: row.settledBy,
    settledAt: row.settledAt?.toISOString() ?? null,
    errorRunId: row.errorRunId,
  };
}

export function toLetter(row: FullLetter): DeadLetterView {
  return { ...toLetterSummary(row), input: row.input };
}
