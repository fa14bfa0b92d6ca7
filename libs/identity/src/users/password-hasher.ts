import { hash, type Options, verify } from '@node-rs/argon2';

/** Hashes passwords, and checks them at the same cost whether there is an account or not. */
export abstract class PasswordHasher {
  /** The hash to store, in PHC form. */
  abstract hash(password: string): Promise<string>;
  /** Whether a password belongs to a hash. */
  abstract verify(passwordHash: string, password: string): Promise<boolean>;
  /** A hash that no password belongs to, as dear to check as a real one: for addresses without an account. */
  abstract decoy(): Promise<string>;
}

/** What one hash costs: memory in KiB, passes over it, threads. */
export type Argon2Cost = Required<Pick<Options, 'memoryCost' | 'timeCost' | 'parallelism'>>;

/** OWASP's first recommendation for Argon2id: 19 MiB, two passes, one thread; some 20 ms of one core. */
export const PRODUCTION_COST: Argon2Cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Argon2id, the library's default kind. */
export class Argon2PasswordHasher extends PasswordHasher {
  readonly #cost: Argon2Cost;
  readonly #decoy: Promise<string>;

  /** The decoy is the hash of `unguessable`, e.g. 32 random bytes as text. */
  constructor(cost: Argon2Cost, unguessable: string) {
    super();
    this.#cost = cost;
    this.#decoy = this.hash(unguessable);
  }

  hash(password: string): Promise<string> {
    return hash(composed(password), this.#cost);
  }

  verify(passwordHash: string, password: string): Promise<boolean> {
    return verify(passwordHash, composed(password));
  }

  decoy(): Promise<string> {
    return this.#decoy;
  }
}

/** Keyboards compose the same letter from different code points; the same password must have one form. */
function composed(password: string): string {
  return password.normalize('NFKC');
}
