import type { TimeOfDay } from '../time-of-day';

/** Times of a day: the first one at or after a second of it, or -1. */
export interface DayTimes {
  next(secondOfDay: number): number;
}

/** Times that lie at the same places within some hours, or minutes, of a day. */
export class PickedTimes implements DayTimes {
  constructor(
    private readonly unitSeconds: number,
    /** Where the units begin. */
    private readonly units: TimeOfDay,
    /** Seconds within a unit, sorted. */
    private readonly places: readonly number[],
  ) {}

  next(secondOfDay: number): number {
    const unit = Math.floor(secondOfDay / this.unitSeconds) * this.unitSeconds;
    if (this.units.next(unit) === unit) {
      const place = this.places.find((seconds) => unit + seconds >= secondOfDay);
      if (place !== undefined) return unit + place;
    }
    const [first] = this.places;
    const later = this.units.next(unit + this.unitSeconds);
    return first === undefined || later < 0 ? -1 : later + first;
  }
}

/** What BYSETPOS leaves of a set of this size: indexes, sorted. */
export function pickedIndexes(positions: readonly number[], size: number): readonly number[] {
  const indexes = positions.map((position) => (position > 0 ? position - 1 : size + position));
  return [...new Set(indexes.filter((index) => index >= 0 && index < size))].toSorted((a, b) => a - b);
}
