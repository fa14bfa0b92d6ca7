import { z } from 'zod';
import { scheduleTimingSchema } from '../triggers/schedules/calculus/timing-schema';
import type { NodeKind } from './node-kind';

/** More runs in a row than anybody wants to see fail, and as many as a scheduler looks back at. */
const MAX_FAILURES = 50;

/** What a schedule node says: when it fires, and what becomes of occurrences that cannot be fired in time. */
export const scheduleParams = scheduleTimingSchema.safeExtend({
  catchUp: z
    .enum(['none', 'last', 'all'])
    .default('last')
    .describe(
      'What becomes of occurrences that nobody was there to fire, more than a minute ago: nothing, a run for the last of them, or one for each of the newest `catchUpMax`.',
    ),
  catchUpMax: z.int().min(1).max(1_000).default(100).describe('With `catchUp: all`: how many at most.'),
  overlap: z
    .enum(['allow', 'skip', 'queue_one', 'cancel_running'])
    .default('allow')
    .describe(
      'What becomes of an occurrence while a run of this schedule is not over: it starts beside it, is skipped, waits for its end (one at most), or takes its place.',
    ),
  autoPauseAfter: z
    .int()
    .min(1)
    .max(MAX_FAILURES)
    .optional()
    .describe('The schedule pauses itself after so many runs in a row have failed.'),
});

/** What a schedule node is told, defaults filled in. */
export type ScheduleParams = z.output<typeof scheduleParams>;

/**
 * Starts a run at each occurrence of a schedule. Its output:
 * `{scheduleId, dueAt, localTime, timezone, late, manual, previousDueAt}`.
 */
export const triggerScheduleNode: NodeKind<ScheduleParams> = {
  type: 'trigger.schedule',
  title: 'Schedule',
  description:
    'Starts the workflow by the clock: by a cron expression, an interval, a recurrence rule or on dates.',
  role: 'trigger',
  purity: 'pure',
  params: scheduleParams,
  literal: Object.keys(scheduleParams.shape),
  ports: () => ['out'],
  execute: ({ trigger }) => ({ kind: 'done', output: trigger }),
};
