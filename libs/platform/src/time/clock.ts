/**
 * The door through which time enters. `pinned()` is null in production, and SQL says `coalesce($n, now())`:
 * the database clock then decides what is due, so workers on skewed hosts agree. Tests pin it.
 */
export abstract class Clock {
  abstract now(): Date;
  abstract pinned(): Date | null;
  /** Milliseconds of a monotonic clock, for measuring durations only. */
  abstract monotonicMs(): number;
}

/** Time as the host tells it. */
export class SystemClock extends Clock {
  now(): Date {
    return new Date();
  }

  pinned(): null {
    return null;
  }

  monotonicMs(): number {
    return performance.now();
  }
}
