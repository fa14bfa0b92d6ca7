import type { JsonObject, JsonValue } from './json';

/** A node's failure as later nodes see it: a stable code, a sentence, evidence. */
export interface PlaceError {
  readonly code: string;
  readonly message: string;
  readonly details?: JsonObject;
}

/** How a node ended, with what later nodes refer to. */
export type PlaceResult =
  | { readonly status: 'succeeded'; readonly ports: readonly string[]; readonly output: JsonValue }
  | { readonly status: 'failed'; readonly error: PlaceError };

/** What a loop goes through, and how. */
export interface LoopItems {
  readonly items: readonly JsonValue[];
  readonly concurrency: number;
  readonly onItemError: 'fail' | 'continue';
  /** Node of the body whose output is an item's result; null for the outputs of its last nodes, by id. */
  readonly collect: string | null;
}
