import { z } from 'zod';
import { isMoment } from './calculus/moment';
import { scheduleTimingSchema } from './calculus/timing-schema';

/** Body of a preview: a timing, and which of its fires. */
export const schedulePreviewBody = scheduleTimingSchema
  .safeExtend({
    from: z
      .string()
      .max(40)
      .refine(isMoment, {
        error:
          'must be a date or a time between 1970 and 2199 in ISO 8601, as 2026-03-28T09:00 or 2026-03-28T09:00:00Z',
      })
      .optional()
      .describe(
        'The first instant that is looked at: a date, a local time in the timezone, or an instant. Now by default.',
      ),
    count: z.int().min(1).max(1_000).default(10).describe('How many fires.'),
  })
  .meta({
    id: 'SchedulePreviewRequest',
    examples: [{ cron: '30 2 * * *', timezone: 'Europe/Berlin', from: '2026-03-28', count: 3 }],
  });

const previewedFire = z.object({
  at: z.iso.datetime().describe('The instant, in UTC.'),
  local: z.string().describe('What clocks of the timezone show, with their offset from UTC.'),
  change: z
    .enum(['moved', 'first_pass', 'second_pass'])
    .optional()
    .describe('What a clock change has to do with it: its time is left out, or is shown twice.'),
  note: z.string().optional().describe('The same as a sentence.'),
});

export const schedulePreviewView = z
  .object({
    fires: z.array(previewedFire).describe('Fewer than asked for when it takes too long to find them.'),
    exhausted: z.boolean().optional().describe('True: there are no more.'),
  })
  .meta({ id: 'SchedulePreview' });

export type SchedulePreviewBody = z.output<typeof schedulePreviewBody>;
export type SchedulePreviewView = z.output<typeof schedulePreviewView>;
