import { z } from 'zod';

const live = ['queued', 'running', 'waiting', 'needs_decision'] as const;

/** Body of a cancellation of all runs of a workflow. */
export const cancelRunsBody = z
  .strictObject({
    status: z
      .array(z.enum(live))
      .min(1)
      .max(live.length)
      .optional()
      .describe('Only runs that are so. By default all live ones.'),
  })
  .default({})
  .meta({ id: 'CancelRuns' });

export const canceledRuns = z
  .object({
    canceled: z.int().describe('Runs that ended at once.'),
    requested: z.int().describe('Runs that are executing: their workers were asked to stop them.'),
    more: z.boolean().describe('Whether live runs are left that were not asked to stop. Call it again.'),
  })
  .meta({ id: 'CanceledRuns' });

export type CancelRunsBody = z.output<typeof cancelRunsBody>;
export type CanceledRuns = z.output<typeof canceledRuns>;
