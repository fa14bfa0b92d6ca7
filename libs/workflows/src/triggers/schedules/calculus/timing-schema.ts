import { z } from 'zod';
import { timingProblems } from './compile-schedule';
import { timingLimits } from './limits';
import type { ScheduleTiming } from './schedule-timing';

const moment = z.string().max(40);

const every = z
  .strictObject({
    amount: z.int().min(1).max(timingLimits.amount).describe('How many units lie between two fires.'),
    unit: z
      .enum(['seconds', 'minutes', 'hours', 'days', 'weeks', 'months'])
      .describe(
        'Seconds, minutes and hours are elapsed time, whatever clocks do. Days, weeks and months go by the calendar: the ' +
          'time of day stays the same. In a month that is too short it is the last day.',
      ),
  })
  .describe(
    'Fires again and again after an amount of time, counted from `start`; without one, from 1970: from its first second in ' +
      'UTC, from its first midnight in the timezone, or from its first Monday.',
  );

/** When a schedule fires: exactly one of `cron`, `every`, `rrule` and `dates`, and what holds for each of them. */
export const scheduleTimingSchema = z
  .strictObject({
    cron: z
      .string()
      .max(timingLimits.cronLength)
      .optional()
      .describe(
        'Five fields (minutes, hours, days of the month, months, days of the week), or six with seconds before them, like ' +
          '`0 9 * * MON-FRI`; or @hourly, @daily, @weekly, @monthly, @yearly.',
      ),
    every: every.optional(),
    rrule: z
      .string()
      .max(timingLimits.rruleLength)
      .optional()
      .describe(
        'A recurrence rule of RFC 5545, like `FREQ=MONTHLY;BYDAY=-1FR`. It counts from `start`, which is its DTSTART.',
      ),
    dates: z
      .array(moment)
      .min(1)
      .max(timingLimits.dates)
      .optional()
      .describe(
        'The very times, in ISO 8601: as clocks show them in the timezone (`2026-12-24T18:00`), or with an offset or `Z`.',
      ),
    timezone: z
      .string()
      .max(60)
      .optional()
      .describe('Name of an IANA time zone, like `Europe/Berlin`; UTC by default.'),
    gap: z
      .enum(['next', 'skip', 'shift'])
      .optional()
      .describe(
        'What becomes of a time that is left out when clocks are set forward: it fires at the first instant after the gap ' +
          '(`next`, the default), not at all (`skip`), or later by the length of the gap (`shift`).',
      ),
    fold: z
      .enum(['auto', 'first', 'second', 'both'])
      .optional()
      .describe(
        'At which passing a time fires that clocks show twice when they are set back. By default (`auto`) fixed times fire ' +
          'at the first, and intervals (a star, a range or a step in seconds, minutes or hours) at both.',
      ),
    start: moment
      .optional()
      .describe(
        'Nothing fires before this: a date, a local time in the timezone, or an instant, in ISO 8601.',
      ),
    end: moment.optional().describe('Nothing fires after this; of a date, after that day.'),
    except: z
      .array(moment)
      .max(timingLimits.exceptions)
      .optional()
      .describe('Dates (`2026-12-25`) and times at which nothing fires.'),
    maxRuns: z
      .int()
      .min(1)
      .max(timingLimits.maxRuns)
      .optional()
      .describe('The schedule ends after so many runs.'),
    jitterSeconds: z
      .int()
      .min(0)
      .max(3_600)
      .optional()
      .describe('Each run begins later by a part of this, so that many schedules do not begin at once.'),
  })
  .superRefine((timing, context) => {
    for (const { path, message } of timingProblems(timing)) {
      // As zod's own: sentences without a full stop, to which whoever reports them adds one.
      context.addIssue({ code: 'custom', path: [...path], message: message.replace(/\.$/, '') });
    }
  }) satisfies z.ZodType<ScheduleTiming>;
