import { hkdfSync } from 'node:crypto';

/** Length of the installation's key and of every key derived from it. */
export const KEY_BYTES = 32;

/**
 * Keys for separate purposes, all derived (HKDF-SHA-256) from the installation's one secret: knowing one of them
 * tells nothing of the others, and nothing but the one secret has to be kept.
 */
export class Keys {
  readonly #secretKey: Buffer;
  readonly #derived = new Map<string, Buffer>();

  /** Throws unless the secret has 32 bytes. */
  constructor(secretKey: Buffer) {
    if (secretKey.length !== KEY_BYTES) {
      throw new Error(`The installation's secret key has ${secretKey.length} bytes instead of ${KEY_BYTES}.`);
    }
    this.#secretKey = Buffer.from(secretKey);
  }

  /** The key of 32 bytes for a purpose (`mail`, `session-token`): the same in every process of the installation. */
  derive(purpose: string): Buffer {
    const known = this.#derived.get(purpose);
    if (known) return known;
    const key = Buffer.from(hkdfSync('sha256', this.#secretKey, '', `millrace/${purpose}`, KEY_BYTES));
    this.#derived.set(purpose, key);
    return key;
  }

  /** Tells this secret from others without telling anything about it, as 64 hexadecimal digits. */
  fingerprint(): string {
    return this.derive('installation-fingerprint').toString('hex');
  }
}
