import type { JsonObject } from '../../definition/json';
import { localText } from './calculus/local-text';
import { ZoneRules } from './calculus/zone-rules';
import type { OpenSchedule } from './schedule-book';

/** An occurrence as its run is told of it. */
export interface ToldOccurrence {
  readonly scheduleId: string;
  readonly dueMs: number;
  /** It is fired more than a minute behind its time. */
  readonly late: boolean;
  readonly lastDueAt: Date | null;
  /** A person asked for it. */
  readonly manual: boolean;
}

/** The event that an occurrence gives to its workflow. It tells of the occurrence alone, not of when it was fired. */
export function scheduleEvent(
  { params: { timezone = 'UTC' } }: OpenSchedule,
  { scheduleId, dueMs, late, lastDueAt, manual }: ToldOccurrence,
): JsonObject {
  const zone = ZoneRules.of(timezone) ?? ZoneRules.utc;
  return {
    scheduleId,
    dueAt: new Date(dueMs).toISOString(),
    localTime: localText(dueMs, zone.offsetAt(dueMs)),
    timezone,
    late,
    manual,
    previousDueAt: lastDueAt?.toISOString() ?? null,
  };
}
