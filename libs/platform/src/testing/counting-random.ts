import { Random } from '../ids/random';

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
