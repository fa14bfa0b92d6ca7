import type { Exceptions } from './exceptions';
import type { FirePoint, FireSource } from './fire-source';

/** The instants between which a schedule fires, both included. */
export interface ScheduleBounds {
  readonly startMs: number;
  readonly endMs: number;
}

/** A schedule that can be asked when it fires. It does not change, so it can be kept and shared. */
export class CompiledSchedule {
  constructor(
    private readonly source: FireSource,
    private readonly bounds: ScheduleBounds,
    private readonly exceptions: Exceptions,
  ) {}

  /** The first instant after this one at which it fires, in milliseconds; null when it never does again. */
  next(afterMs: number): number | null {
    let fromMs = Math.max(Math.floor(afterMs), this.bounds.startMs - 1);
    for (;;) {
      const fireMs = this.source.next(fromMs);
      if (!(fireMs <= this.bounds.endMs)) return null;
      const passedMs = this.exceptions.pass(fireMs);
      if (passedMs === fireMs) return fireMs;
      fromMs = passedMs - 1;
    }
  }

  /** One of its fires, with what clock changes have to do with it. */
  describe(fireMs: number): FirePoint {
    return this.source.describe(fireMs);
  }

  /** So many fires from this instant on, fewer when it ends, each with what clock changes have to do with it. */
  occurrences(fromMs: number, count: number): readonly FirePoint[] {
    const points: FirePoint[] = [];
    let fireMs = this.next(fromMs - 1);
    while (fireMs !== null && points.length < count) {
      points.push(this.describe(fireMs));
      fireMs = points.length < count ? this.next(fireMs) : null;
    }
    return points;
  }
}
