import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from '../ids/random';

/** The id of a key that is the only one of its purpose. */
const ONLY_KEY_ID = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES + TAG_BYTES;

/** A box that cannot be opened: cut short, changed, sealed for another context or with another key. */
export class SecretBoxError extends Error {
  override readonly name = 'SecretBoxError';
}

/**
 * Seals texts for storage: AES-256-GCM with a random nonce. The layout is key id (1 byte), nonce (12), tag (16),
 * ciphertext. The context is not stored but authenticated: a box moved to another row or column does not open there.
 * What has to outlive its key is sealed by a `KeyRing`, which holds several of these.
 */
export class SecretBox {
  constructor(
    private readonly key: Buffer,
    private readonly random: Random,
    private readonly keyId: number = ONLY_KEY_ID,
  ) {}

  /** `context` says where the box will lie, e.g. `mail:<id>`; the same text is needed to open it. */
  seal(plaintext: string, context: string): Buffer {
    // Random nonces of 96 bits are safe for some 2^32 boxes under one key, far beyond what an installation seals.
    const nonce = this.random.bytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce).setAAD(this.#authenticated(context));
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(this.keyId), nonce, cipher.getAuthTag(), ciphertext]);
  }

  /** Throws SecretBoxError for a box that was not sealed with this key for this context. */
  open(box: Buffer, context: string): string {
    if (box.length < HEADER_BYTES) throw new SecretBoxError(`A box of ${box.length} bytes is too short.`);
    if (box[0] !== this.keyId) throw new SecretBoxError(`The box was sealed with the unknown key ${box[0]}.`);
    const nonce = box.subarray(1, 1 + NONCE_BYTES);
    const tag = box.subarray(1 + NONCE_BYTES, HEADER_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(this.#authenticated(context))
      .setAuthTag(tag);
    try {
      const plain = Buffer.concat([decipher.update(box.subarray(HEADER_BYTES)), decipher.final()]);
      return plain.toString('utf8');
    } catch (cause) {
      throw new SecretBoxError(
        `The box does not open for "${context}": it was changed, moved or sealed with another key.`,
        {
          cause,
        },
      );
    }
  }

  /** The key id is authenticated too, so that a box cannot be relabelled. */
  #authenticated(context: string): Buffer {
    return Buffer.concat([Buffer.of(this.keyId), Buffer.from(context, 'utf8')]);
  }
}
