import type { Clock } from '../time/clock';
import type { Random } from './random';

/** Gives UUIDv7 ids: time-ordered, so tables partitioned and indexed by id grow at one end. */
export abstract class Ids {
  abstract next(): string;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const POOL_BYTES = 4096;

/**
 * UUIDv7 by RFC 9562 with a 12-bit counter after the millisecond: ids of one process never go backwards, also when
 * the host's clock does. Random bits come from a pool that is refilled rarely (one syscall per 512 ids).
 */
export class UuidV7Ids extends Ids {
  #lastMs = 0;
  #counter = 0;
  #pool: Buffer = Buffer.alloc(0);
  #used = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
  ) {
    super();
  }

  next(): string {
    const ms = this.#tick(this.clock.now().getTime());
    const tail = this.#take8();
    const time = ms.toString(16).padStart(12, '0');
    const counter = this.#counter.toString(16).padStart(3, '0');
    const hex = (index: number) => HEX[tail[index] ?? 0] ?? '00';
    const variant = HEX[((tail[0] ?? 0) & 0x3f) | 0x80] ?? '80';
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter}-${variant}${hex(1)}-${hex(2)}${hex(3)}${hex(4)}${hex(5)}${hex(6)}${hex(7)}`;
  }

  #tick(nowMs: number): number {
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#counter = 0;
      return nowMs;
    }
    this.#counter += 1;
    if (this.#counter > 0xfff) {
      this.#lastMs += 1;
      this.#counter = 0;
    }
    return this.#lastMs;
  }

  #take8(): Buffer {
    if (this.#used + 8 > this.#pool.length) {
      this.#pool = this.random.bytes(POOL_BYTES);
      this.#used = 0;
    }
    const taken = this.#pool.subarray(this.#used, this.#used + 8);
    this.#used += 8;
    return taken;
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text is a UUID in its canonical lower-case form, the only form ids have here. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
