import { Clock } from '../time/clock';

/** A clock for tests: it stands still until it is moved, and SQL is told the same instant. */
export class PinnedClock extends Clock {
  #now: Date;

  constructor(now: Date | string) {
    super();
    this.#now = new Date(now);
  }

  now(): Date {
    return new Date(this.#now);
  }

  pinned(): Date {
    return this.now();
  }

  monotonicMs(): number {
    return this.#now.getTime();
  }

  advance(ms: number): void {
    this.#now = new Date(this.#now.getTime() + ms);
  }
}
