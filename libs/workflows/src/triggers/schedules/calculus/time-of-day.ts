import { DAY_SECONDS } from './civil';

const NONE = 255;

/** The times of a day at which some of its hours, minutes and seconds meet. */
export class TimeOfDay {
  readonly #hours: Uint8Array;
  readonly #minutes: Uint8Array;
  readonly #seconds: Uint8Array;

  constructor(
    readonly hours: readonly number[],
    readonly minutes: readonly number[],
    readonly seconds: readonly number[],
  ) {
    this.#hours = successors(hours, 24);
    this.#minutes = successors(minutes, 60);
    this.#seconds = successors(seconds, 60);
  }

  /** How many times a day has. */
  get size(): number {
    return this.hours.length * this.minutes.length * this.seconds.length;
  }

  /** The time of this index, in seconds of the day. */
  at(index: number): number {
    const seconds = this.seconds.length;
    const minutes = this.minutes.length;
    const hour = this.hours[Math.floor(index / (minutes * seconds))] ?? 0;
    const minute = this.minutes[Math.floor(index / seconds) % minutes] ?? 0;
    return hour * 3_600 + minute * 60 + (this.seconds[index % seconds] ?? 0);
  }

  /** The first time at or after this one, in seconds of the day; -1 when the day has no more. */
  next(secondOfDay: number): number {
    if (secondOfDay >= DAY_SECONDS) return -1;
    const hour = Math.floor(secondOfDay / 3_600);
    const minute = Math.floor(secondOfDay / 60) % 60;
    const second = secondOfDay % 60;
    if (this.#hours[hour] === hour) {
      if (this.#minutes[minute] === minute) {
        const found = this.#seconds[second] ?? NONE;
        if (found !== NONE) return hour * 3_600 + minute * 60 + found;
      }
      const later = this.#minutes[minute + 1] ?? NONE;
      if (later !== NONE) return hour * 3_600 + later * 60 + (this.seconds[0] ?? 0);
    }
    const later = this.#hours[hour + 1] ?? NONE;
    return later === NONE ? -1 : later * 3_600 + (this.minutes[0] ?? 0) * 60 + (this.seconds[0] ?? 0);
  }
}

/** For each value the first of the sorted ones that is not below it. */
function successors(values: readonly number[], size: number): Uint8Array {
  const next = new Uint8Array(size + 1).fill(NONE);
  for (let value = size - 1; value >= 0; value -= 1) {
    next[value] = values.includes(value) ? value : (next[value + 1] ?? NONE);
  }
  return next;
}
