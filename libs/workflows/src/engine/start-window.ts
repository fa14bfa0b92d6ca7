/** A window is cut into so many slots. */
const SLOTS = 60;

/** Starts by slot, the newest first; `slot` is the number of the newest one. */
export interface CountedStarts {
  readonly slot: number;
  readonly starts: readonly number[];
}

/** At most `limit` starts in any `windowSeconds`. */
export interface StartLimit {
  readonly limit: number;
  readonly windowSeconds: number;
}

/**
 * Starts within a sliding window, counted by slots of a sixtieth of it. A start counts until the slot after its last one
 * is over, so that never more than the limit fall into any stretch of the window's length; it may count up to a
 * sixtieth longer than it must. Pure: the time comes from the database, with the counts.
 */
export class StartWindow {
  readonly #slotSeconds: number;
  readonly #slot: number;
  readonly #starts: number[];

  constructor(
    private readonly bound: StartLimit,
    counted: CountedStarts,
    private readonly nowSeconds: number,
  ) {
    this.#slotSeconds = bound.windowSeconds / SLOTS;
    // Another process may have counted in a later slot while this one waited: time does not go back.
    this.#slot = Math.max(counted.slot, Math.floor(nowSeconds / this.#slotSeconds));
    const shift = Math.min(this.#slot - counted.slot, SLOTS + 1);
    const empty = Array.from({ length: shift }, () => 0);
    this.#starts = [...empty, ...counted.starts].slice(0, SLOTS + 1);
  }

  /** How many more may start now. */
  get room(): number {
    return Math.max(0, this.bound.limit - this.#total());
  }

  /** Whole seconds until one more may start; 0 when one may now. */
  get retryAfterSeconds(): number {
    let excess = this.#total() - this.bound.limit + 1;
    if (excess <= 0) return 0;
    for (let age = this.#starts.length - 1; age >= 0; age -= 1) {
      excess -= this.#starts[age] ?? 0;
      if (excess > 0) continue;
      const over = (this.#slot - age + SLOTS + 1) * this.#slotSeconds;
      return Math.max(1, Math.ceil(over - this.nowSeconds));
    }
    // The limit is zero: nothing that passes makes room.
    return this.bound.windowSeconds;
  }

  /** The counts with so many more starts, to be stored. */
  with(starts: number): CountedStarts {
    const [newest = 0, ...older] = this.#starts;
    const counts = [newest + starts, ...older];
    while (counts.length > 1 && counts.at(-1) === 0) counts.pop();
    return { slot: this.#slot, starts: counts };
  }

  #total(): number {
    return this.#starts.reduce((sum, count) => sum + count, 0);
  }
}
