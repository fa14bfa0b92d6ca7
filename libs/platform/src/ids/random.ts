import { randomBytes } from 'node:crypto';

/** The door through which randomness enters. */
export abstract class Random {
  /** Cryptographically strong bytes. */
  abstract bytes(count: number): Buffer;
  /** A number in [0, 1), for jitter; never for secrets. */
  abstract fraction(): number;

  /** A URL-safe token of `count` random bytes. */
  token(count = 32): string {
    return this.bytes(count).toString('base64url');
  }
}

/** Randomness of the operating system. */
export class SystemRandom extends Random {
  bytes(count: number): Buffer {
    return randomBytes(count);
  }

  fraction(): number {
    return Math.random();
  }
}
