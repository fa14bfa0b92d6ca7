import type { Random } from '../ids/random';
import type { Keys } from './keys';
import { SecretBox, SecretBoxError } from './secret-box';

/** A key of a ring: its number, which each box it seals begins with, and its 32 bytes. */
export interface RingKey {
  /** 2 to 255. 1 is the key that derives from the installation's secret. */
  readonly id: number;
  readonly key: Buffer;
}

/** The key that is always there, so that an installation without a setting can seal, and one that gets a setting open. */
const DERIVED_KEY_ID = 1;

/**
 * Seals what customers entrust to the installation: their secrets, and those of their webhooks. The first key of
 * `ENCRYPTION_KEYS` seals, all of them open, and so does the one that derives from `SECRET_KEY`. A key can therefore be
 * replaced without a pause, and without touching what else derives from the installation's secret: put the new key
 * first, seal everything anew (`npm run secrets:rotate`), and take the old one out.
 */
export class KeyRing {
  readonly #boxes: ReadonlyMap<number, SecretBox>;
  readonly #current: { readonly id: number; readonly box: SecretBox };

  constructor(keys: Keys, given: readonly RingKey[], random: Random) {
    const derived = { id: DERIVED_KEY_ID, key: keys.derive('key-ring') };
    const [{ id, key } = derived] = given;
    this.#boxes = new Map(
      [...given, derived].map((each) => [each.id, new SecretBox(each.key, random, each.id)]),
    );
    this.#current = { id, box: new SecretBox(key, random, id) };
  }

  /** Seals with the current key. `context` says where the box will lie, as for `SecretBox`. */
  seal(plaintext: string, context: string): Buffer {
    return this.#current.box.seal(plaintext, context);
  }

  /** Opens with whichever key sealed it. Throws SecretBoxError, also when that key is not in the ring any more. */
  open(box: Buffer, context: string): string {
    const id = box[0] ?? 0;
    const known = this.#boxes.get(id);
    if (known) return known.open(box, context);
    throw new SecretBoxError(
      `The box was sealed with key ${id}, which the ring has not: put it back into ENCRYPTION_KEYS.`,
    );
  }

  /** The number of the key that seals at present: a box that begins with another one is due to be sealed anew. */
  get currentId(): number {
    return this.#current.id;
  }
}
