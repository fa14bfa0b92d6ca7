import { fractionOf } from '../../../nodes/fraction-of';

/**
 * How long after its due time a firing is put off, so that what is due at once does not begin at once. Computed from what it
 * is for, so that every process that asks hears the same.
 */
export function jitterMs(scheduleId: string, dueMs: number, maxSeconds: number): number {
  return Math.floor(fractionOf(`${scheduleId}/${dueMs}`) * maxSeconds * 1000);
}
