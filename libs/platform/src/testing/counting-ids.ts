import { Ids } from '../ids/ids';

/** Ids for tests that count up: `00000000-0000-7000-8000-000000000001`, … */
export class CountingIds extends Ids {
  #count = 0;

  next(): string {
    this.#count += 1;
    return `00000000-0000-7000-8000-${String(this.#count).padStart(12, '0')}`;
  }
}
