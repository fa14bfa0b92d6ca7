/** A stretch of time whose runs stand in one partition of their class. Half-open. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

const DAY_MS = 86_400_000;
/** 1970-01-05, the first Monday of the epoch. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/** The least UUIDv7 of an instant: 48 bits of milliseconds, then zeros. */
export function leastId(at: Date): string {
  const hex = at.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** When the run of an id was created, by the id itself. */
export function instantOf(runId: string): Date {
  return new Date(Number.parseInt(runId.slice(0, 8) + runId.slice(9, 13), 16));
}

/**
 * The period an instant falls into. What is kept for a day or two is dropped by the day, what is kept for weeks by the
 * week, all else by the month: so what stands beyond its time is a small part of what is kept.
 */
export function periodOf(retentionDays: number, at: Date): Period {
  if (retentionDays > 45) {
    const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
    return { from: new Date(Date.UTC(year, month, 1)), to: new Date(Date.UTC(year, month + 1, 1)) };
  }
  const [lengthMs, originMs] = retentionDays <= 2 ? [DAY_MS, 0] : [7 * DAY_MS, FIRST_MONDAY_MS];
  const fromMs = originMs + Math.floor((at.getTime() - originMs) / lengthMs) * lengthMs;
  return { from: new Date(fromMs), to: new Date(fromMs + lengthMs) };
}

/** How many periods beyond the current one have their partitions ready, by the same measure. */
function ahead(retentionDays: number): number {
  if (retentionDays > 45) return 2;
  return retentionDays <= 2 ? 7 : 4;
}

/** The periods of a class to have partitions for: the current one and those to come. */
export function periodsToCome(retentionDays: number, now: Date): readonly Period[] {
  const periods = [periodOf(retentionDays, now)];
  for (let left = ahead(retentionDays); left > 0; left -= 1) {
    const last = periods.at(-1);
    if (last) periods.push(periodOf(retentionDays, last.to));
  }
  return periods;
}

/** Finished runs of the class that ended before this instant are kept no longer. */
export function expiryOf(retentionDays: number, now: Date): Date {
  return new Date(now.getTime() - retentionDays * DAY_MS);
}
