import { Injectable } from '@nestjs/common';
import { Clock, Db, KeyRing, Logger, Secret } from '#platform';
import { Masker } from './masker';
import { readSealedSecrets, type SealedSecret, sealContext } from './secret.sql';
import { spellingsOf } from './spellings';

/** So long a value that was read is used again: a value that was replaced is known everywhere after that. */
const FRESH_MS = 5_000;
/** Of all workspaces together; what was read longest ago goes first. */
const MAX_KEPT = 2_000;
/** Each has a table of all spellings, which for long secrets is some megabytes. */
const MAX_MASKERS = 200;

/** A value in memory. Nothing that is logged or written to JSON shows it. */
export class KnownSecret {
  #spellings: readonly string[] | null = null;

  constructor(
    readonly name: string,
    readonly value: Secret,
    readonly sealed: Buffer,
  ) {}

  /** Every way in which it is looked for; worked out once, and only for a run that has something to mask. */
  get spellings(): readonly string[] {
    this.#spellings ??= spellingsOf(this.value.reveal());
    return this.#spellings;
  }
}

/** Secrets that somebody wants, of one workspace. */
export interface WantedSecrets {
  readonly workspaceId: string;
  readonly names: readonly string[];
}

interface Kept {
  readonly secret: KnownSecret;
  readonly readAtMs: number;
}

/**
 * The values of secrets, for the engine alone. Read as the owner role, opened with the ring, kept for seconds. What is
 * missing is not kept, so that a secret which was just made is found at once.
 */
@Injectable()
export class SecretValues {
  readonly #kept = new Map<string, Kept>();
  readonly #maskers = new Map<
    string,
    { readonly secrets: readonly KnownSecret[]; readonly masker: Masker }
  >();

  constructor(
    private readonly db: Db,
    private readonly ring: KeyRing,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /**
   * The secrets there are among those that are wanted, in one reading. Throws request.unavailable when the database
   * cannot be asked.
   */
  async read(
    cellId: string,
    wanted: readonly WantedSecrets[],
  ): Promise<(want: WantedSecrets) => readonly KnownSecret[]> {
    const fresh = this.clock.monotonicMs() - FRESH_MS;
    const due = new Map<string, readonly [workspaceId: string, name: string]>();
    const found = new Map<string, KnownSecret>();
    for (const { workspaceId, names } of wanted) {
      for (const name of names) {
        const key = keyOf(workspaceId, name);
        const kept = this.#kept.get(key);
        if (kept === undefined || kept.readAtMs < fresh) due.set(key, [workspaceId, name]);
        else found.set(key, kept.secret);
      }
    }
    if (due.size > 0) for (const [key, secret] of await this.#readAnew(cellId, due)) found.set(key, secret);
    return ({ workspaceId, names }) => names.flatMap((name) => found.get(keyOf(workspaceId, name)) ?? []);
  }

  /** The masker of these secrets: the same one, as long as they are the same. */
  maskerOf(workspaceId: string, secrets: readonly KnownSecret[]): Masker {
    const key = `${workspaceId} ${secrets.map(({ name }) => name).join(' ')}`;
    const known = this.#maskers.get(key);
    if (known?.secrets.every((secret, i) => secret === secrets[i])) return known.masker;
    const masker = new Masker(secrets);
    this.#maskers.delete(key);
    this.#maskers.set(key, { secrets, masker });
    dropOldest(this.#maskers, MAX_MASKERS);
    return masker;
  }

  async #readAnew(
    cellId: string,
    due: ReadonlyMap<string, readonly [workspaceId: string, name: string]>,
  ): Promise<ReadonlyMap<string, KnownSecret>> {
    const pairs = [...due.values()];
    const [workspaceIds, names] = [pairs.map(([id]) => id), pairs.map(([, name]) => name)];
    const readAtMs = this.clock.monotonicMs();
    const rows = await this.db.execute(cellId, readSealedSecrets, workspaceIds, names);
    const read = new Map<string, KnownSecret>();
    for (const row of rows) {
      const key = keyOf(row.workspaceId, row.name);
      const before = this.#kept.get(key)?.secret;
      // The same box is the same value: what was worked out about it stays.
      const secret = before?.sealed.equals(row.sealed) ? before : this.#opened(row);
      if (secret === null) continue;
      read.set(key, secret);
      this.#kept.delete(key);
      this.#kept.set(key, { secret, readAtMs });
    }
    for (const key of due.keys()) if (!read.has(key)) this.#kept.delete(key);
    dropOldest(this.#kept, MAX_KEPT);
    return read;
  }

  /** Null for a value that no key of the ring opens: for a run it is as if it were missing, and the log says why. */
  #opened({ id, workspaceId, name, sealed }: SealedSecret): KnownSecret | null {
    try {
      const value = this.ring.open(sealed, sealContext(workspaceId, id));
      return new KnownSecret(name, new Secret(value), sealed);
    } catch (error) {
      this.logger.error('a secret does not open', { workspaceId, secretId: id, error });
      return null;
    }
  }
}

function keyOf(workspaceId: string, name: string): string {
  return `${workspaceId} ${name}`;
}

/** A Map keeps the order of insertion, so the oldest stand first. */
function dropOldest(kept: Map<string, unknown>, most: number): void {
  for (const key of kept.keys()) {
    if (kept.size <= most) return;
    kept.delete(key);
  }
}
