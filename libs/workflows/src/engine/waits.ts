import type { Place } from '../definition/frame';
import type { JsonValue } from '../definition/json';
import type { WaitState } from './node-state';
import type { KeptSignal } from './sql/signals.sql';

/** A node that waits. */
export interface Wait {
  /** Null: only a message ends it. */
  readonly resumeAt: Date | null;
  readonly attempt: number;
  readonly state: WaitState;
}

/** A wait that is over. */
export interface EndedWait extends Wait {
  readonly place: Place;
  /** Undefined when its time came first. */
  readonly message: JsonValue | undefined;
}

/** The nodes of one run that wait, and what has come for nodes: for some of them before they wait for it. */
export class Waits {
  readonly #waits = new Map<Place, Wait>();
  readonly #messages = new Map<string, KeptSignal>();
  /** When the messages were kept that have been handed out: read again before they are deleted, they are the same. */
  readonly #served = new Map<string, string>();

  get size(): number {
    return this.#waits.size;
  }

  has(place: Place): boolean {
    return this.#waits.has(place);
  }

  attemptOf(place: Place): number {
    return this.#waits.get(place)?.attempt ?? 1;
  }

  /** Whether a person has to decide before anything goes on. */
  get isUndecided(): boolean {
    return [...this.#waits.values()].some(({ state }) => state.kind === 'decision');
  }

  add(place: Place, wait: Wait): void {
    this.#waits.set(place, wait);
  }

  delete(place: Place): void {
    this.#waits.delete(place);
  }

  clear(): void {
    this.#waits.clear();
  }

  /** Keeps what has come. */
  receive(signal: KeptSignal): void {
    const key = keyOf(signal.nodeId, signal.iteration);
    if (this.#served.get(key) !== signal.keptAt) this.#messages.set(key, signal);
  }

  /** Ends the wait of a node for which something has come; null when nothing has, or the node does not wait for it. */
  takeServed(place: Place): EndedWait | null {
    const wait = this.#waits.get(place);
    const key = keyOf(place.node.id, place.frame.iteration);
    const kept = this.#messages.get(key);
    if (wait === undefined || kept === undefined || !takesMessages(wait.state)) return null;
    this.#messages.delete(key);
    this.#served.set(key, kept.keptAt);
    this.#waits.delete(place);
    return { ...wait, place, message: kept.message };
  }

  /** Ends the waits whose time has come. */
  takeDue(now: Date): readonly EndedWait[] {
    const due: EndedWait[] = [];
    for (const [place, wait] of this.#waits) {
      if (wait.resumeAt === null || wait.resumeAt > now) continue;
      this.#waits.delete(place);
      due.push({ ...wait, place, message: undefined });
    }
    return due;
  }

  /** When something happens next by itself, at the deadline at the latest; null when nothing does. */
  nextInstant(deadline: Date | null): Date | null {
    let earliest = deadline;
    for (const { resumeAt } of this.#waits.values()) {
      if (resumeAt !== null && (earliest === null || resumeAt < earliest)) earliest = resumeAt;
    }
    return earliest;
  }
}

/** What is tried again, or waits for an instant, waits for nothing else. */
function takesMessages(state: WaitState): boolean {
  return state.kind !== 'retry' && !(state.kind === 'wait' && state.on === 'time');
}

function keyOf(nodeId: string, iteration: string): string {
  return `${nodeId} ${iteration}`;
}
