import { type Failure, Frame, type LoopItem, type Place, walkResult } from './frame';
import type { Graph } from './graph';
import type { JsonObject } from './json';
import { Loop } from './loop';
import type { RecordedRows } from './recorded-rows';
import type { LoopItems, PlaceResult } from './results';
import { settle } from './walk';

/** What follows from a step. */
export interface Follows {
  /** To be executed now, in the order in which they became ready. */
  readonly ready: readonly Place[];
  /** Will never be executed. */
  readonly skipped: readonly Place[];
  /** Loops that have come to their end: their nodes are to be settled with these results. */
  readonly ended: readonly EndedLoop[];
  /** What is under way in these frames does not matter any more, and is to be given up. */
  readonly abandoned: readonly Frame[];
  /** What ends the run: a failure that nothing takes care of. */
  readonly failure: Failure | null;
}

export interface EndedLoop {
  readonly place: Place;
  readonly result: PlaceResult;
}

/**
 * A whole run, loops included: a tree of walks. It says what is ready, what is skipped, which loops have come to their
 * end and what no longer matters, and it keeps the outputs that later nodes refer to. It knows nothing of databases,
 * time or workers; the README beside it has the rules in words.
 */
export class RunWalk {
  /** Loops that have begun and not ended, by the place of their node. */
  readonly #loops = new Map<Place, Loop>();

  private constructor(readonly root: Frame) {}

  /** Begins a run at one of its triggers. */
  static start(graph: Graph, trigger: number): { readonly walk: RunWalk; readonly follows: Follows } {
    const { frame, ready, skipped } = Frame.begin(graph, trigger, null);
    const follows = new Following();
    follows.ready.push(...ready);
    follows.skipped.push(...skipped);
    return { walk: new RunWalk(frame), follows };
  }

  /**
   * The state that recorded rows stand for, in whatever order they were recorded, and what is to be done next. What was
   * skipped was recorded together with the result that it followed from, so it is not told again.
   */
  static replay(
    graph: Graph,
    trigger: number,
    rows: RecordedRows,
  ): { readonly walk: RunWalk; readonly follows: Follows } {
    const { frame, ready } = Frame.replay(graph, trigger, { rows, item: null });
    const walk = new RunWalk(frame);
    const follows = new Following();
    follows.failure = frame.failure;
    if (frame.failure === null) walk.#takeUp(ready, rows, follows);
    return { walk, follows };
  }

  /** Whether nothing is left to execute. */
  get isFinished(): boolean {
    return this.root.isFinished;
  }

  /** The run's output: what its last nodes gave, by node id. */
  output(): JsonObject {
    return this.root.lastOutputs();
  }

  /** Whether it still matters what a node gives that was ready: not when its item has been given up meanwhile. */
  awaits({ frame }: Place): boolean {
    return frame.item === null || this.#loops.get(frame.item.loop)?.active.has(frame) === true;
  }

  /** A node was ready and has its result. Throws when the result is not awaited: a bug. */
  settle(place: Place, result: PlaceResult): Follows {
    if (!this.awaits(place)) throw new Error(`The item of the node ${place.node.id} has been given up.`);
    const { frame, index, node } = place;
    const follows = new Following();
    frame.note(node, result);
    const step = settle(frame.graph, frame.state, index, walkResult(node, result));
    follows.skipped.push(...frame.places(step.skipped));
    if (step.unhandledFailure && result.status === 'failed') {
      // The frame ends here, so a join that waited for nothing but this node is not begun any more.
      frame.failure = { place, error: result.error };
      this.#failed(frame, frame.failure, follows);
      return follows;
    }
    follows.ready.push(...frame.places(step.ready));
    if (frame.isFinished && frame.item !== null) {
      const loop = this.#loopOf(frame.item);
      loop.finished(frame);
      this.#goOn(loop, follows);
    }
    return follows;
  }

  /** The node of a loop was ready and has its items. */
  beginLoop(place: Place, given: LoopItems): Follows {
    const follows = new Following();
    const loop = new Loop(place, given);
    this.#loops.set(place, loop);
    this.#goOn(loop, follows);
    return follows;
  }

  /** Where a node stands now; null when its loop has not come to that item, or has passed it. */
  find(nodeId: string, iteration: string): Place | null {
    if (iteration === '') return this.root.placeOf(nodeId);
    for (const { active } of this.#loops.values()) {
      for (const frame of active) {
        const place = frame.iteration === iteration ? frame.placeOf(nodeId) : null;
        if (place !== null) return place;
      }
    }
    return null;
  }

  /** A failure that nothing takes care of ends its frame: the run, or one item of a loop. */
  #failed(frame: Frame, failure: Failure, follows: Following): void {
    if (frame.item === null) {
      follows.failure ??= failure;
      return;
    }
    const loop = this.#loopOf(frame.item);
    if (loop.given.onItemError === 'continue') {
      loop.failed(frame, failure.error);
      this.#abandon([frame], follows);
      this.#goOn(loop, follows);
    } else this.#endFailed(loop, failure, follows);
  }

  /** Begins as many items as may be under way; ends the loop when all are over. */
  #goOn(loop: Loop, follows: Following): void {
    while (loop.mayBegin) {
      const { frame, ready } = Frame.begin(loop.body, 'entries', loop.nextItem());
      loop.active.add(frame);
      follows.ready.push(...ready);
    }
    if (loop.isOver) this.#end(loop, { status: 'succeeded', ports: ['out'], output: loop.output() }, follows);
  }

  #endFailed(loop: Loop, { place, error }: Failure, follows: Following): void {
    const index = place.frame.item?.index ?? 0;
    this.#abandon([...loop.active], follows);
    const message = `Item ${index} failed at the node ${place.node.id}: ${error.message}`;
    const details = { index, nodeId: place.node.id, code: error.code };
    this.#end(loop, { status: 'failed', error: { code: 'node.item_failed', message, details } }, follows);
  }

  /** The caller settles the loop's node, once it knows that the results can be kept. */
  #end(loop: Loop, result: PlaceResult, follows: Following): void {
    this.#loops.delete(loop.place);
    follows.ended.push({ place: loop.place, result });
  }

  #loopOf({ loop: place }: LoopItem): Loop {
    const loop = this.#loops.get(place);
    if (loop === undefined) throw new Error(`The loop ${place.node.id} is over.`);
    return loop;
  }

  #abandon(frames: readonly Frame[], follows: Following): void {
    for (const frame of frames) {
      follows.abandoned.push(frame);
      for (const inner of [...this.#loops.values()].filter(({ place }) => place.frame === frame)) {
        this.#loops.delete(inner.place);
        this.#abandon([...inner.active], follows);
      }
    }
  }

  /** Loops that had begun go on where they were; what else is ready is to be executed. */
  #takeUp(ready: readonly Place[], rows: RecordedRows, follows: Following): void {
    for (const place of ready) {
      const given = rows.loopAt(place.node.id, place.frame.iteration);
      if (given === null || place.node.body === null) follows.ready.push(place);
      else this.#takeUpLoop(new Loop(place, given), rows, follows);
    }
  }

  #takeUpLoop(loop: Loop, rows: RecordedRows, follows: Following): void {
    this.#loops.set(loop.place, loop);
    const begun = loop
      .begunItems((iteration) => rows.has(loop.body, iteration))
      .map((item) => Frame.replay(loop.body, 'entries', { rows, item }));
    for (const { frame } of begun) loop.active.add(frame);
    for (const { frame } of begun) {
      if (frame.failure !== null) {
        if (loop.given.onItemError === 'fail') {
          this.#endFailed(loop, frame.failure, follows);
          return;
        }
        loop.failed(frame, frame.failure.error);
        follows.abandoned.push(frame);
      } else if (frame.isFinished) loop.finished(frame);
    }
    for (const { frame, ready } of begun) if (loop.active.has(frame)) this.#takeUp(ready, rows, follows);
    this.#goOn(loop, follows);
  }
}

/** What gathers while a step is made. */
class Following implements Follows {
  readonly ready: Place[] = [];
  readonly skipped: Place[] = [];
  readonly ended: EndedLoop[] = [];
  readonly abandoned: Frame[] = [];
  failure: Failure | null = null;
}
