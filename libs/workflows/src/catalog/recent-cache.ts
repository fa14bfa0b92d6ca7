import type { Clock } from '#platform';

/** How long and how many. */
export interface RecentCacheOptions {
  readonly maxAgeMs: number;
  readonly maxEntries: number;
}

interface Entry<T> {
  readonly value: Promise<T | null>;
  readonly askedAtMs: number;
}

/**
 * Answers that may be a little old. Those who ask for the same at a time share one load. What was not found is not
 * remembered: it may be there in a moment, and made-up keys must not push out real ones.
 */
export class RecentCache<T> {
  /** In the order of loading, so the first one is the first to expire. */
  readonly #entries = new Map<string, Entry<T>>();

  constructor(
    private readonly clock: Clock,
    private readonly options: RecentCacheOptions,
  ) {}

  /** What was loaded for the key within the last `maxAgeMs`, else what `load` gives now. A failed load is not kept. */
  get(key: string, load: () => Promise<T | null>): Promise<T | null> {
    const nowMs = this.clock.monotonicMs();
    const known = this.#entries.get(key);
    if (known && nowMs - known.askedAtMs < this.options.maxAgeMs) return known.value;
    const entry: Entry<T> = { value: load(), askedAtMs: nowMs };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#trim();
    const drop = () => {
      // Another entry may stand here by now.
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    entry.value.then((found) => (found === null ? drop() : undefined), drop);
    return entry.value;
  }

  /** Forgets a key. A load that is under way still answers those who wait for it, and nobody after them. */
  forget(key: string): void {
    this.#entries.delete(key);
  }

  #trim(): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.options.maxEntries) return;
      this.#entries.delete(oldest);
    }
  }
}
