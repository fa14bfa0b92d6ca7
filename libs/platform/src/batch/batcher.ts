/** What a batcher is made of. `flush` gives one result per item, in the same order. */
export interface BatcherOptions<T, R> {
  readonly flush: (items: readonly T[]) => Promise<readonly R[]>;
  readonly maxBatch: number;
  readonly maxInFlight: number;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit that clocks itself: while `maxInFlight` flushes are under way new items gather, and the next free slot
 * takes up to `maxBatch` of them at once. A quiet system pays no added latency, a busy one gets large batches, and
 * there is no timer to tune. Items are flushed in the order they came; batches in flight may finish in any order.
 */
export class Batcher<T, R> {
  #queue: Waiting<T, R>[] = [];
  /** Items before this index are taken already: cheaper than shifting an array for each batch. */
  #head = 0;
  #inFlight = 0;
  #scheduled = false;
  readonly #idle: (() => void)[] = [];

  constructor(private readonly options: BatcherOptions<T, R>) {
    if (options.maxBatch < 1 || options.maxInFlight < 1) {
      throw new Error(`A batcher needs room for one item and one flush: ${JSON.stringify(options)}.`);
    }
  }

  /** Items that wait for a flush; those being flushed are not counted. */
  get size(): number {
    return this.#queue.length - this.#head;
  }

  /** Resolves with the item's result; rejects with the error of the flush it was a part of. */
  submit(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves once nothing waits and nothing is being flushed. */
  idle(): Promise<void> {
    if (this.size === 0 && this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  /** Taking begins a microtask later, so items submitted in the same turn go together. */
  #schedule(): void {
    if (this.#scheduled || this.#inFlight >= this.options.maxInFlight) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      while (this.size > 0 && this.#inFlight < this.options.maxInFlight) void this.#flush(this.#take());
    });
  }

  #take(): readonly Waiting<T, R>[] {
    const batch = this.#queue.slice(this.#head, this.#head + this.options.maxBatch);
    this.#head += batch.length;
    if (this.#head === this.#queue.length || this.#head > 10_000) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return batch;
  }

  async #flush(batch: readonly Waiting<T, R>[]): Promise<void> {
    this.#inFlight += 1;
    try {
      settle(batch, await this.options.flush(batch.map(({ item }) => item)));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    this.#inFlight -= 1;
    if (this.size > 0) this.#schedule();
    else if (this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function settle<T, R>(batch: readonly Waiting<T, R>[], results: readonly R[]): void {
  if (results.length !== batch.length) {
    throw new Error(`A flush of ${batch.length} items gave ${results.length} results.`);
  }
  // The loop runs over the results, since those may be undefined by right.
  results.forEach((result, index) => batch[index]?.resolve(result));
}
