/** How long a queue may become. */
export interface FairQueueLimits {
  readonly length: number;
  readonly lengthPerOwner: number;
}

/** What waits, by owner. Owners take turns, so that one who has a thousand waiting keeps nobody else waiting for them. */
export class FairQueue<T> {
  /** In the order of their turns. An owner who has nothing waiting is not in it. */
  readonly #waiting = new Map<string, T[]>();
  #length = 0;

  constructor(private readonly limits: FairQueueLimits) {}

  get length(): number {
    return this.#length;
  }

  /** Whether there was room. */
  add(owner: string, item: T): boolean {
    const own = this.#waiting.get(owner) ?? [];
    if (this.#length >= this.limits.length || own.length >= this.limits.lengthPerOwner) return false;
    own.push(item);
    this.#waiting.set(owner, own);
    this.#length += 1;
    return true;
  }

  /** The longest waiting item of the owner whose turn it is. */
  take(): T | undefined {
    for (const [owner, own] of this.#waiting) {
      const item = own.shift();
      // Behind all the others, if there is more.
      this.#waiting.delete(owner);
      if (own.length > 0) this.#waiting.set(owner, own);
      this.#length -= 1;
      return item;
    }
    return undefined;
  }

  /** Takes an item out of the middle. False when it is not there any more. */
  remove(owner: string, item: T): boolean {
    const own = this.#waiting.get(owner) ?? [];
    const at = own.indexOf(item);
    if (at === -1) return false;
    own.splice(at, 1);
    if (own.length === 0) this.#waiting.delete(owner);
    this.#length -= 1;
    return true;
  }
}
