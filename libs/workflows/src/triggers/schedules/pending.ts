/** When a schedule is due, and how much later each occurrence is looked at. Milliseconds since 1970 throughout. */
export interface Timetable {
  /** The first occurrence strictly after an instant; null when there is none any more. */
  next(afterMs: number): number | null;
  /** When an occurrence is to be fired: its due instant and its jitter. */
  fireMs(dueMs: number): number;
}

/** Occurrences whose time has come, oldest first. */
export interface Pending {
  readonly dueMs: readonly number[];
  /** False when there are more, older ones than anybody counts: those are not listed. */
  readonly complete: boolean;
}

/** Some tens of milliseconds of work, and more occurrences than any policy fires. */
const MAX_WALK = 20_000;
const FIRST_WINDOW_MS = 3_600_000;
const MAX_BISECTIONS = 50;

/**
 * What is due from `firstMs` to `nowMs`. The first one counts whatever the timetable says now: it was announced, and the rules
 * of its zone may have changed since. After a long downtime of a dense schedule only the newest are listed, at least
 * `wanted` of them: walking through all would hold up every other schedule.
 */
export function pendingOf(
  timetable: Timetable,
  { firstMs, nowMs, wanted }: { readonly firstMs: number; readonly nowMs: number; readonly wanted: number },
): Pending {
  const all = walk(timetable, firstMs, nowMs);
  if (all.complete) return all;
  let best: readonly number[] = [];
  let [tooShortMs, tooLongMs] = [0, nowMs - firstMs];
  let windowMs = Math.min(FIRST_WINDOW_MS, tooLongMs / 2);
  for (let round = 0; round < MAX_BISECTIONS && tooLongMs - tooShortMs > 1; round += 1) {
    const found = walk(timetable, timetable.next(nowMs - Math.ceil(windowMs)), nowMs);
    if (found.complete) {
      best = found.dueMs;
      if (best.length >= wanted) break;
      tooShortMs = windowMs;
      windowMs = Math.min(windowMs * 2, (windowMs + tooLongMs) / 2);
    } else {
      tooLongMs = windowMs;
      windowMs = (tooShortMs + windowMs) / 2;
    }
  }
  return { dueMs: best, complete: false };
}

function walk(timetable: Timetable, firstMs: number | null, nowMs: number): Pending {
  const dueMs: number[] = [];
  let next = firstMs;
  while (next !== null && timetable.fireMs(next) <= nowMs) {
    if (dueMs.length === MAX_WALK) return { dueMs, complete: false };
    dueMs.push(next);
    next = timetable.next(next);
  }
  return { dueMs, complete: true };
}
