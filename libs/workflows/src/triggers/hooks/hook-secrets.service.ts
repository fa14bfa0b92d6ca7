import { Injectable } from '@nestjs/common';
import { Clock, Db, Hints, KeyRing } from '#platform';
import { RecentCache } from '../../catalog/recent-cache';
import { HookChanged } from '../../events';
import { listSecrets, placeOf, type SecretKind } from './hook-secrets.sql';

/** The secrets of a hook, opened. */
export interface OpenSecrets {
  readonly secrets: readonly OpenSecret[];
  readonly askedAtMs: number;
}

interface OpenSecret {
  readonly kind: SecretKind;
  readonly value: string;
  readonly validUntil: Date | null;
}

/** Other processes learn of a change by age alone. */
const MAX_AGE_MS = 5_000;
const MAX_ENTRIES = 20_000;
/** How often one hook may make us look again, however many calls are refused. */
const MIN_AGE_MS = 1_000;

/** What calls are judged by, thousands of times a second: opened once, and out of memory for a few seconds. */
@Injectable()
export class HookSecrets {
  readonly #known: RecentCache<OpenSecrets>;

  constructor(
    private readonly db: Db,
    private readonly keyRing: KeyRing,
    private readonly clock: Clock,
    hints: Hints,
  ) {
    this.#known = new RecentCache(clock, { maxAgeMs: MAX_AGE_MS, maxEntries: MAX_ENTRIES });
    hints.on(HookChanged, ({ hookId }) => this.#known.forget(hookId));
  }

  /** The secrets of a hook, a little old at most. */
  async of(workspaceId: string, hookId: string): Promise<OpenSecrets> {
    const found = await this.#known.get(hookId, () => this.#load(workspaceId, hookId));
    return found ?? { secrets: [], askedAtMs: 0 };
  }

  /**
   * What the database holds now, for a call that those did not let in: its secret may have been set a moment ago, in
   * another process. Null when they are new enough.
   */
  async newerThan(known: OpenSecrets, workspaceId: string, hookId: string): Promise<OpenSecrets | null> {
    if (this.clock.monotonicMs() - known.askedAtMs < MIN_AGE_MS) return null;
    const now = await this.of(workspaceId, hookId);
    // Somebody else may have looked again meanwhile.
    if (now !== known) return now;
    this.#known.forget(hookId);
    return this.of(workspaceId, hookId);
  }

  /** Those of a kind that hold at an instant. */
  static valid({ secrets }: OpenSecrets, kind: SecretKind, at: Date): readonly string[] {
    return secrets
      .filter((secret) => secret.kind === kind && (secret.validUntil === null || secret.validUntil > at))
      .map(({ value }) => value);
  }

  async #load(workspaceId: string, hookId: string): Promise<OpenSecrets> {
    const askedAtMs = this.clock.monotonicMs();
    const stored = await this.db.tenant(workspaceId, (tx) =>
      tx.query(listSecrets, workspaceId, [hookId], this.clock.pinned()),
    );
    const secrets = stored.map((secret) => ({
      kind: secret.kind,
      value: this.keyRing.open(secret.sealed, placeOf(secret)),
      validUntil: secret.validUntil,
    }));
    return { secrets, askedAtMs };
  }
}
