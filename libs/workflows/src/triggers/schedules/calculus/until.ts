import type { FirePoint, FireSource } from './fire-source';
import { NEVER } from './wall-pattern';

/** What fires until an instant, which is included. */
export class Until implements FireSource {
  constructor(
    private readonly source: FireSource,
    private readonly untilMs: number,
  ) {}

  next(afterMs: number): number {
    const next = this.source.next(afterMs);
    return next <= this.untilMs ? next : NEVER;
  }

  describe(ms: number): FirePoint {
    return this.source.describe(ms);
  }
}
