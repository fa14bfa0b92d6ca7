import { civilOf, DAY_MS, dayNumber, daysInMonth, HORIZON_MS } from './civil';
import type { FirePoint, FireSource } from './fire-source';
import { NEVER, type WallPattern } from './wall-pattern';
import type { ZoneRules } from './zone-rules';

/** Units of elapsed time, and what they last. Days, weeks and months go by the calendar, and last what they last. */
export const elapsedUnits = { seconds: 1_000, minutes: 60_000, hours: 3_600_000 } as const;
export type CalendarUnit = 'days' | 'weeks' | 'months';

/** Always as long after one another, whatever clocks do. */
export class EveryElapsed implements FireSource {
  constructor(
    private readonly stepMs: number,
    private readonly anchorMs: number,
    private readonly zone: ZoneRules,
  ) {}

  next(afterMs: number): number {
    const next = this.anchorMs + (Math.floor((afterMs - this.anchorMs) / this.stepMs) + 1) * this.stepMs;
    return next > HORIZON_MS ? NEVER : next;
  }

  describe(ms: number): FirePoint {
    return { atMs: ms, offsetMs: this.zone.offsetAt(ms) };
  }
}

/** Always at the same time of day, so many days, weeks or months after one another. */
export class EveryCalendar implements WallPattern {
  readonly isInterval = false;

  constructor(
    private readonly amount: number,
    private readonly unit: CalendarUnit,
    private readonly anchorWall: number,
  ) {}

  next(wallMs: number): number {
    if (wallMs > HORIZON_MS) return NEVER;
    if (this.unit === 'months') return this.#nextOfMonths(wallMs);
    const step = this.amount * DAY_MS * (this.unit === 'weeks' ? 7 : 1);
    return this.anchorWall + Math.ceil((wallMs - this.anchorWall) / step) * step;
  }

  #nextOfMonths(wallMs: number): number {
    const anchor = monthIndexOf(this.anchorWall);
    // The month before is looked at as well: what is sought may be later in it.
    let steps = Math.floor((monthIndexOf(wallMs) - anchor) / this.amount);
    while (this.#inMonth(anchor + steps * this.amount) < wallMs) steps += 1;
    return this.#inMonth(anchor + steps * this.amount);
  }

  /** On the day of the anchor, or on the last one of a shorter month: counted from the anchor, so that the 31st comes back. */
  #inMonth(index: number): number {
    const [year, month] = [Math.floor(index / 12), (((index % 12) + 12) % 12) + 1];
    const anchorDay = Math.floor(this.anchorWall / DAY_MS);
    const day = Math.min(civilOf(anchorDay).day, daysInMonth(year, month));
    return dayNumber({ year, month, day }) * DAY_MS + this.anchorWall - anchorDay * DAY_MS;
  }
}

function monthIndexOf(wallMs: number): number {
  const { year, month } = civilOf(Math.floor(wallMs / DAY_MS));
  return year * 12 + month - 1;
}
