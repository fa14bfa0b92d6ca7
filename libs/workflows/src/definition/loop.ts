import { type Frame, iterationIn, type LoopItem, type Place } from './frame';
import type { Graph } from './graph';
import type { JsonObject, JsonValue } from './json';
import type { LoopItems, PlaceError } from './results';

/** A loop that has begun: which items are under way, what the others gave. */
export class Loop {
  readonly body: Graph;
  readonly active = new Set<Frame>();
  readonly #results: JsonValue[];
  readonly #failures: { readonly index: number; readonly error: JsonObject }[] = [];
  readonly #taken = new Set<number>();
  #next = 0;
  #finished = 0;

  constructor(
    readonly place: Place,
    readonly given: LoopItems,
  ) {
    if (place.node.body === null) throw new Error(`The node ${place.node.id} has no body.`);
    this.body = place.node.body;
    this.#results = given.items.map(() => null);
  }

  /** Whether a further item may begin now. */
  get mayBegin(): boolean {
    this.#passTaken();
    return this.#next < this.given.items.length && this.active.size < this.given.concurrency;
  }

  get isOver(): boolean {
    return this.#finished === this.given.items.length;
  }

  /** The next item in order; call it only when one may begin. */
  nextItem(): LoopItem {
    return this.#take(this.#next);
  }

  /** Items of which something was recorded: they have begun, and are not begun anew. In order. */
  begunItems(wasBegun: (iteration: string) => boolean): readonly LoopItem[] {
    return this.given.items.flatMap((_, index) =>
      wasBegun(iterationIn(this.place.frame.iteration, index)) ? [this.#take(index)] : [],
    );
  }

  finished(frame: Frame): void {
    const { collect } = this.given;
    this.#leave(frame, collect === null ? frame.lastOutputs() : (frame.outputOf(collect) ?? null));
  }

  failed(frame: Frame, { code, message }: PlaceError): void {
    const index = this.#leave(frame, null);
    this.#failures.push({ index, error: { code, message } });
  }

  /** What the loop's node gives: a result for each item, null for one that failed. */
  output(): JsonObject {
    const failures = this.#failures.toSorted((a, b) => Number(a.index) - Number(b.index));
    return { results: this.#results, failures };
  }

  #take(index: number): LoopItem {
    this.#taken.add(index);
    return { loop: this.place, index, value: this.given.items[index] ?? null };
  }

  #passTaken(): void {
    while (this.#taken.has(this.#next)) this.#next += 1;
  }

  #leave(frame: Frame, result: JsonValue): number {
    const index = frame.item?.index ?? 0;
    this.active.delete(frame);
    this.#results[index] = result;
    this.#finished += 1;
    return index;
  }
}
