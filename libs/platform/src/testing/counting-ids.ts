import { Ids } from '../ids/ids';
import { Random } from '../ids/random';

/** Ids for tests that count up: `00000000-0000-7000-8000-000000000001`, … */
export class CountingIds extends Ids {
  #count = 0;

  next(): string {
    this.#count += 1;
    return `00000000-0000-7000-8000-${String(this.#count).padStart(12, '0')}`;
  }
}

/** Randomness for tests: bytes count up, the fraction is what it was told. */
export class CountingRandom extends Random {
  #count = 0;

  constructor(private readonly fixedFraction = 0.5) {
    super();
  }

  bytes(count: number): Buffer {
    this.#count += 1;
    const bytes = Buffer.alloc(count);
    bytes.writeUInt32BE(this.#count, Math.max(count - 4, 0));
    return bytes;
  }

  fraction(): number {
    return this.fixedFraction;
  }
}
