import { z } from 'zod';

/** Five years, of which two may be leap years: nothing here waits or lives longer. */
export const longestSeconds = (5 * 365 + 2) * 24 * 60 * 60;

const DAY_SECONDS = 86_400;
const expression = z.string().min(1).max(10_000);

/** How often and when a node that failed is tried again. */
const retrySchema = z.strictObject({
  attempts: z.int().min(2).max(20).describe('How often the node is tried at most, the first time included.'),
  backoff: z
    .enum(['constant', 'exponential'])
    .default('exponential')
    .describe('Whether the delay stays the same or doubles with each attempt.'),
  delaySeconds: z.number().min(0).max(DAY_SECONDS).default(1).describe('Before the second attempt.'),
  maxDelaySeconds: z
    .number()
    .min(0)
    .max(DAY_SECONDS)
    .default(300)
    .describe('No delay is longer, whatever the backoff.'),
  jitter: z
    .boolean()
    .default(true)
    .describe(
      'Shortens each delay by a random part of up to one half, so that many do not come back at once.',
    ),
  retryIf: expression
    .optional()
    .describe('An expression that sees `error` and gives true to try again. By default what may pass is.'),
});

/** What a node says about its own failures, beside its params. Every kind of node may have it. */
export const nodePolicies = {
  timeoutSeconds: z
    .number()
    .positive()
    .max(DAY_SECONDS)
    .optional()
    .describe('How long one attempt may take. Waiting (a delay, an approval) does not count.'),
  retry: retrySchema.optional(),
  onError: z
    .enum(['fail', 'continue', 'port'])
    .optional()
    .describe(
      'What a failure brings about when no attempt is left: the run fails, goes on by `out` with `{error}` as output, ' +
        'or takes the port `error`. By default the port when an edge leaves it, else the run fails.',
    ),
  repeat: z
    .enum(['safe', 'unsafe'])
    .optional()
    .describe(
      'Whether a node that was interrupted by a crash may be repeated without asking. An unsafe one waits for a person.',
    ),
};

/** What holds for every run of the workflow. */
export const settingsSchema = z.strictObject({
  deadlineSeconds: z
    .number()
    .min(1)
    .max(longestSeconds)
    .optional()
    .describe('A run that is not finished so long after its start fails.'),
  priority: z
    .enum(['low', 'normal', 'high'])
    .default('normal')
    .describe('Among the runs of the workspace. Other workspaces are not affected.'),
  errorWorkflowId: z
    .uuid()
    .optional()
    .describe('A workflow of this workspace with a `trigger.error`: started for each run that fails.'),
  concurrency: z
    .strictObject({
      limit: z.int().min(1).max(1_000),
      key: expression
        .optional()
        .describe(
          'An expression over `trigger`. Runs with the same value share the limit; without it all do.',
        ),
    })
    .optional()
    .describe(
      'How many runs may be under way at a time, from their first node to their end, waiting included.',
    ),
  maxStartsPerMinute: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('Further starts are refused: a guard against workflows that start themselves.'),
  labels: z
    .record(z.string().regex(/^[a-z][a-z0-9_.-]{0,62}$/), z.string().max(1_000))
    .refine((labels) => Object.keys(labels).length <= 10, { error: 'must have at most 10 labels' })
    .optional()
    .describe('Names and values, which may be expressions over `trigger`. Runs can be found by them.'),
});

/** What holds for every run of a workflow, defaults filled in. */
export type WorkflowSettings = z.output<typeof settingsSchema>;
/** The settings of a definition, which need not say any. */
export function settingsOf({ settings }: { readonly settings?: unknown }): WorkflowSettings {
  return settingsSchema.parse(settings ?? {});
}

/** When a failed node is tried again, defaults filled in. */
export type RetryPolicy = z.output<typeof retrySchema>;
