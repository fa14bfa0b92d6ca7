/** Timers longer than 2^31 ms fire at once in Node; an alarm years away is rung early and set again by its owner. */
const LONGEST_MS = 24 * 3600 * 1000;

/**
 * One timer that is set for the earliest instant asked for. It only hints: whoever is woken looks up what is really
 * due, and sets it again. It does not keep the process alive.
 */
export class Alarm {
  #timer: NodeJS.Timeout | null = null;
  #dueMs = Infinity;

  constructor(private readonly ring: () => void) {}

  /** Rings in `ms` at the latest; an earlier setting stays. */
  setWithin(ms: number): void {
    const bounded = Math.min(Math.max(ms, 0), LONGEST_MS);
    const dueMs = performance.now() + bounded;
    if (dueMs >= this.#dueMs) return;
    this.clear();
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => {
      this.clear();
      this.ring();
    }, bounded);
    this.#timer.unref();
  }

  clear(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#dueMs = Infinity;
  }
}
