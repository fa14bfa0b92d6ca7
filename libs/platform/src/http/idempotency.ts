import { Injectable } from '@nestjs/common';
import { statement } from '../db/statement';
import type { Tx } from '../db/tx';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';

/** A client's `Idempotency-Key` and the request it came with. Made by `@IdempotencyKeyOf()`. */
export interface IdempotencyKey {
  /** Principal, method and path: two people, or two routes, may use the same key. */
  readonly scope: string;
  readonly key: string;
  /** SHA-256 of query and body, 32 bytes: a key that comes back with another request is refused. */
  readonly requestHash: Buffer;
  /** The workspace of the route; null outside `/v1/workspaces/:workspaceId`. */
  readonly workspaceId: string | null;
}

/**
 * What survives being stored as JSON and read back: an answer with a Date or a class in it would differ between the
 * first request and its repetition, so the type refuses it.
 */
export type JsonLike<T> = unknown extends T
  ? T
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends Date | bigint | symbol | ((...args: never) => unknown)
      ? never
      : { readonly [K in keyof T]: JsonLike<T[K]> };

/**
 * Purpose: takes a key for the request of this transaction. A second request with the same key waits here, on the
 * unique index, until the first has committed or rolled back. Index: idempotency_keys_pkey. Rows: one.
 */
const takeKey = statement<
  [scope: string, key: string, workspaceId: string | null, requestHash: Buffer],
  { readonly key: string }
>(
  'take-idempotency-key',
  `insert into idempotency_keys (scope, key, workspace_id, request_hash)
   values ($1::text, $2::text, $3::uuid, $4::bytea) on conflict do nothing returning key`,
);

/** Purpose: the answer given to a key. Locks: none. Index: idempotency_keys_pkey. Rows: one. */
const findAnswer = statement<
  [scope: string, key: string],
  { readonly requestHash: Buffer; readonly response: unknown }
>(
  'find-idempotent-answer',
  `select request_hash as "requestHash", response from idempotency_keys where scope = $1::text and key = $2::text`,
);

/** Purpose: keeps the answer beside its key. Locks: the row taken before. Index: idempotency_keys_pkey. Rows: one. */
const storeAnswer = statement<[scope: string, key: string, response: string]>(
  'store-idempotent-answer',
  `update idempotency_keys set response = $3::json where scope = $1::text and key = $2::text`,
);

/** The purge may delete an old key between our two looks at it; a second try then takes the key. */
const MAX_TRIES = 3;

/** Runs the work of creating requests once per `Idempotency-Key`. */
@Injectable()
export class Idempotency {
  /**
   * Runs `work` once per key and gives its answer to every repetition. The key is taken and the answer stored in `tx`,
   * the transaction of the effect itself: both exist or neither does. Without a key the work just runs. An answer that
   * holds a secret must not be returned through here: it would be stored. Throws request.idempotency_key_reused when
   * the key came with another request before.
   */
  async once<T>(tx: Tx, key: IdempotencyKey | null, work: () => Promise<T & JsonLike<T>>): Promise<T> {
    if (key === null) return work();
    for (let attempt = 1; attempt <= MAX_TRIES; attempt += 1) {
      const taken = await tx.query(takeKey, key.scope, key.key, key.workspaceId, key.requestHash);
      if (taken.length > 0) return this.#first(tx, key, work);
      const [found] = await tx.query(findAnswer, key.scope, key.key);
      if (found) return answerOf<T>(key, found);
    }
    throw new AppError(platformErrors.conflict, {
      detail: `The Idempotency-Key "${key.key}" is expiring right now; send the request again with a new key.`,
    });
  }

  async #first<T>(tx: Tx, key: IdempotencyKey, work: () => Promise<T>): Promise<T> {
    const answer = await work();
    // A work that answers with nothing is stored as null: the row itself says that it has run.
    const stored = answer === undefined ? 'null' : JSON.stringify(answer);
    await tx.query(storeAnswer, key.scope, key.key, stored);
    return answer;
  }
}

function answerOf<T>(
  key: IdempotencyKey,
  found: { readonly requestHash: Buffer; readonly response: unknown },
): T {
  if (!found.requestHash.equals(key.requestHash)) {
    throw new AppError(platformErrors.idempotency_key_reused, {
      detail: `The Idempotency-Key "${key.key}" came with another body before; use a new key for a new request.`,
    });
  }
  // JsonLike holds T to what JSON gives back, and the row was written by the same route.
  return found.response as T;
}
