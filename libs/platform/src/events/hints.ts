import { Injectable } from '@nestjs/common';
import type { Tx } from '../db/tx';

/** A kind of hint: a fact in the past tense whose loss costs latency only, because a sweep would find it as well. */
export interface Hint<T> {
  readonly name: string;
  /** Phantom member that carries the payload's type. */
  readonly payload?: T;
}

/** Declares a kind of hint in a lib's `events.ts`. */
export function hint<T>(name: string): Hint<T> {
  return Object.freeze({ name });
}

/** Typed in-process events, given after commit. Listeners must be quick and must not throw. */
@Injectable()
export class Hints {
  readonly #listeners = new Map<string, Set<(payload: unknown) => void>>();

  /** Listens; returns the way to stop listening. */
  on<T>(kind: Hint<T>, listener: (payload: T) => void): () => void {
    const listeners = this.#listeners.get(kind.name) ?? new Set();
    this.#listeners.set(kind.name, listeners);
    const erased = listener as (payload: unknown) => void;
    listeners.add(erased);
    return () => listeners.delete(erased);
  }

  /** Tells the listeners once the transaction is committed; never when it is rolled back. */
  afterCommit<T>(tx: Tx, kind: Hint<T>, payload: T): void {
    tx.afterCommit(() => this.now(kind, payload));
  }

  /** Tells the listeners at once: for facts that are committed already. */
  now<T>(kind: Hint<T>, payload: T): void {
    for (const listener of this.#listeners.get(kind.name) ?? []) listener(payload);
  }
}
