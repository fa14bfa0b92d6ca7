import type { Place } from '../definition/frame';
import type { JsonValue } from '../definition/json';

/** A node about to run, or to go on after its wait. */
export interface Task {
  readonly place: Place;
  /** 1, then one more with each retry. */
  readonly attempt: number;
  /** What the node kept with its wait, and what has come for it; null for one that begins. */
  readonly resumed: { readonly data: JsonValue; readonly message: JsonValue | undefined } | null;
}
