import { DAY_MS } from './civil';
import type { FireSource } from './fire-source';
import { NEVER } from './wall-pattern';
import type { ZoneRules } from './zone-rules';

/** Days and instants at which nothing fires. */
export class Exceptions {
  constructor(
    private readonly zone: ZoneRules,
    /** Numbers of days, as walls show them. */
    private readonly days: ReadonlySet<number>,
    private readonly instants: FireSource,
  ) {}

  /** The same instant when it may fire, otherwise one before which nothing may. */
  pass(ms: number): number {
    if (this.instants.next(ms - 1) === ms) return ms + 1;
    if (this.days.size === 0 || ms === NEVER) return ms;
    const { offsetMs, endMs } = this.zone.segmentAt(ms);
    const day = Math.floor((ms + offsetMs) / DAY_MS);
    if (!this.days.has(day)) return ms;
    // To the end of the day at once: a day has 86,400 seconds, and a schedule may mean each of them.
    return Math.min((day + 1) * DAY_MS - offsetMs, endMs);
  }
}
