import type { Place } from '../definition/frame';
import type { JsonValue } from '../definition/json';
import type { NodeError } from '../nodes/node-kind';
import type { AttemptEvidence, NodeState } from './node-state';
import type { NodeEntry, RunJournal } from './run-journal';
import type { Wait } from './waits';

/**
 * Which nodes of a run have a row and are not settled: what begins inserts it, what follows changes it. It also sees to
 * it that a message is forgotten together with the record of what came of it, and not before.
 */
export class NodeBook {
  /** When each of them began. */
  readonly #open = new Map<Place, Date>();
  readonly #served = new Set<Place>();

  constructor(
    private readonly journal: RunJournal,
    private readonly now: () => Date,
  ) {}

  /** The places that have a row and are not settled. */
  openWhere(concerned: (place: Place) => boolean): readonly Place[] {
    return [...this.#open.keys()].filter(concerned);
  }

  /** Takes up a row that was found. */
  restore(place: Place, startedAt: Date): void {
    this.#open.set(place, startedAt);
  }

  /** The node has been given what came for it. */
  served(place: Place): void {
    this.#served.add(place);
  }

  started(place: Place, attempt: number): void {
    this.journal.started(this.#entry(place, attempt, null));
  }

  succeeded(place: Place, attempt: number, result: SettledWith): void {
    this.journal.succeeded(this.#settled(place, attempt, result.startedAt), result.ports, result.text);
  }

  failed(place: Place, attempt: number, { error, startedAt }: FailedWith): void {
    this.journal.failed(this.#settled(place, attempt, startedAt), error);
  }

  canceled(place: Place, attempt: number, startedAt: Date | null): void {
    this.journal.canceled(this.#settled(place, attempt, startedAt));
  }

  running(place: Place, attempt: number, state: NodeState): void {
    this.journal.running(this.#opened(place, attempt, null), state);
  }

  waiting(place: Place, { attempt, resumeAt, state }: Wait, startedAt: Date | null): void {
    this.journal.waiting(this.#opened(place, attempt, startedAt), resumeAt, state);
  }

  needsDecision(place: Place, evidence: AttemptEvidence): void {
    this.journal.needsDecision(this.#opened(place, evidence.attempt, null), evidence);
  }

  #opened(place: Place, attempt: number, startedAt: Date | null): NodeEntry {
    const entry = this.#entry(place, attempt, startedAt);
    this.#open.set(place, entry.startedAt);
    this.#forgetMessage(place);
    return entry;
  }

  #settled(place: Place, attempt: number, startedAt: Date | null): NodeEntry {
    const entry = this.#entry(place, attempt, startedAt);
    this.#open.delete(place);
    this.#forgetMessage(place);
    return entry;
  }

  #entry({ node, frame }: Place, attempt: number, startedAt: Date | null): NodeEntry {
    const place = frame.place(node.index);
    const openedAt = this.#open.get(place);
    return {
      nodeId: node.id,
      iteration: frame.iteration,
      startedAt: openedAt ?? startedAt ?? this.now(),
      attempt,
      hasRow: openedAt !== undefined,
    };
  }

  #forgetMessage(place: Place): void {
    if (!this.#served.delete(place)) return;
    this.journal.consumed({ nodeId: place.node.id, iteration: place.frame.iteration });
  }
}

/** What a node gave; `startedAt` is null for one that takes no time. */
export interface SettledWith {
  readonly ports: readonly string[];
  readonly output: JsonValue;
  /** The output as JSON text. */
  readonly text: string;
  readonly startedAt: Date | null;
}

export interface FailedWith {
  readonly error: NodeError;
  readonly startedAt: Date | null;
}
