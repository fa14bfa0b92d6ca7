import { z } from 'zod';
import { pageQuery, pageSchema } from '#platform';
import type { FireView, ScheduleRow } from './schedule-views.sql';

const states = ['active', 'paused', 'finished', 'retired'] as const;

export const scheduleIdParam = z.uuid();

const scheduleSummary = z
  .object({
    id: z.uuid(),
    workflowId: z.uuid(),
    nodeId: z.string().describe('The trigger node of the workflow that says when.'),
    state: z
      .enum(states)
      .describe('`retired`: the published version has no such node any more, or the workflow is archived.'),
    params: z.record(z.string(), z.unknown()).describe('What the node says.'),
    nextDueAt: z.iso.datetime().nullable().describe('The next occurrence.'),
    nextFireAt: z.iso
      .datetime()
      .nullable()
      .describe('When it is fired: later by its jitter, or when it is put off.'),
    waitingDueAt: z.iso.datetime().nullable().describe('The occurrence that waits for the run before it.'),
    lastDueAt: z.iso.datetime().nullable().describe('The last occurrence that started a run.'),
    lastRunId: z.uuid().nullable(),
    runs: z.int().describe('Runs started since its author last changed it.'),
    pause: z
      .object({
        at: z.iso.datetime(),
        until: z.iso.datetime().nullable(),
        by: z.string().describe('Who paused it; `failures` when so many runs in a row had failed.'),
      })
      .nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'ScheduleSummary' });

export const scheduleView = scheduleSummary
  .extend({ upcoming: z.array(z.iso.datetime()).describe('The next five occurrences.') })
  .meta({ id: 'Schedule' });
export const schedulesPage = pageSchema(scheduleSummary);

export const schedulesQuery = pageQuery.extend({
  workflowId: z.uuid().optional().describe('Schedules of this workflow only.'),
  state: z.enum(states).optional().describe('Without it all but the retired ones.'),
});
export const schedulesCursor = z.strictObject({ id: z.uuid() });

const fireView = z
  .object({
    dueAt: z.iso.datetime(),
    outcome: z
      .enum(['started', 'waiting', 'skipped', 'missed', 'refused', 'failed'])
      .describe(
        '`skipped` by its overlap policy, `missed` by its catch-up policy, `refused` by quota or a limit, `failed` by an expression of its author.',
      ),
    runId: z.uuid().nullable(),
    until: z.iso.datetime().nullable().describe('Of occurrences that were missed together: the last.'),
    occurrences: z.int().nullable().describe('How many were missed together; null when nobody counted.'),
    reason: z.string().nullable().describe('A code.'),
    detail: z.string().nullable(),
    manual: z.boolean().describe('A person asked for it.'),
    firedAt: z.iso.datetime(),
  })
  .meta({ id: 'ScheduleFire' });
export const firesPage = pageSchema(fireView);
export const firesQuery = pageQuery;
export const firesCursor = z.strictObject({ dueAt: z.string().regex(/^\d{4,5}-[\d :.+-]{10,40}$/) });

/** Body of a pause. */
export const pauseBody = z
  .strictObject({
    until: z.iso
      .datetime({ offset: true })
      .optional()
      .describe('Occurrences before then are passed over. Without it somebody has to resume the schedule.'),
  })
  .default({})
  .meta({ id: 'PauseSchedule' });

export const firedRun = z.object({ runId: z.uuid() }).meta({ id: 'FiredRun' });

export type ScheduleSummary = z.output<typeof scheduleSummary>;
export type ScheduleView = z.output<typeof scheduleView>;
export type Fire = z.output<typeof fireView>;
export type SchedulesQuery = z.output<typeof schedulesQuery>;

export function toSummary(row: ScheduleRow): ScheduleSummary {
  const { id, workflowId, nodeId, state, params, lastRunId } = row;
  return {
    id,
    workflowId,
    nodeId,
    state,
    params,
    nextDueAt: text(row.dueAt),
    nextFireAt: text(row.fireAt),
    waitingDueAt: text(row.waitingDueAt),
    lastDueAt: text(row.lastDueAt),
    lastRunId,
    runs: row.fires,
    pause:
      row.pausedAt === null || row.pausedBy === null
        ? null
        : { at: row.pausedAt.toISOString(), until: text(row.pausedUntil), by: row.pausedBy },
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

export function toFire({ dueAt, untilAt, firedAt, ...fire }: FireView): Fire {
  const { outcome, runId, occurrences, reason, detail, manual } = fire;
  return {
    dueAt: dueAt.toISOString(),
    outcome,
    runId,
    until: text(untilAt),
    occurrences,
    reason,
    detail,
    manual,
    firedAt: firedAt.toISOString(),
  };
}

function text(at: Date | null): string | null {
  return at?.toISOString() ?? null;
}
