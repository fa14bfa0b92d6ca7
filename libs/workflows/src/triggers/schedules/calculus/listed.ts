import type { FirePoint, FireSource } from './fire-source';
import { NEVER, type WallPattern } from './wall-pattern';
import type { ZoneRules } from './zone-rules';

/** Times of day and year that somebody has listed, as walls. */
export class ListedWalls implements WallPattern {
  readonly isInterval = false;
  readonly #walls: readonly number[];

  constructor(walls: readonly number[]) {
    this.#walls = walls.toSorted((a, b) => a - b);
  }

  next(wallMs: number): number {
    return firstAtOrAfter(this.#walls, wallMs);
  }
}

/** Instants that somebody has listed. */
export class ListedInstants implements FireSource {
  readonly #instants: readonly number[];

  constructor(
    instants: readonly number[],
    private readonly zone: ZoneRules,
  ) {
    this.#instants = instants.toSorted((a, b) => a - b);
  }

  next(afterMs: number): number {
    return firstAtOrAfter(this.#instants, afterMs + 1);
  }

  describe(ms: number): FirePoint {
    return { atMs: ms, offsetMs: this.zone.offsetAt(ms) };
  }
}

/** What fires when either of two fires. */
export class EitherSource implements FireSource {
  constructor(
    private readonly one: FireSource,
    private readonly other: FireSource,
  ) {}

  next(afterMs: number): number {
    return Math.min(this.one.next(afterMs), this.other.next(afterMs));
  }

  describe(ms: number): FirePoint {
    return this.one.next(ms - 1) === ms ? this.one.describe(ms) : this.other.describe(ms);
  }
}

function firstAtOrAfter(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? NEVER) < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] ?? NEVER;
}
