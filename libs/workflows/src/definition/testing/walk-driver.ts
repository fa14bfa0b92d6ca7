import type { Frame, Place } from '../frame';
import { compileGraph, type Graph } from '../graph';
import type { JsonValue } from '../json';
import { type RecordedRow, RecordedRows } from '../recorded-rows';
import type { LoopItems, PlaceResult } from '../results';
import { type Follows, RunWalk } from '../run-walk';
import { iterationOf, keyOf, Reference } from './reference-run';
import { type RandomWorkflow, testKinds } from './random-workflow';

/** How a run that was driven to its end came out. */
export interface Driven {
  readonly failure: { readonly key: string; readonly error: JsonValue } | null;
  readonly output: JsonValue;
  /** The last row of each node and iteration. */
  readonly rows: ReadonlyMap<string, RecordedRow>;
  /** What was recorded, in order: each entry at once. */
  readonly journal: Journal;
  /** What a node found when it began. */
  readonly seen: ReadonlyMap<string, Seen>;
}

export type Journal = readonly (readonly RecordedRow[])[];

/** What expressions of a node would see. */
export interface Seen {
  readonly nodes: { readonly [nodeId: string]: JsonValue };
  readonly loops: JsonValue;
}

/** Draws a number from 0 to one less than this. */
export type Draw = (below: number) => number;

/**
 * Performs what a walk says, as the engine would, but in any order, and records it: one entry for each result with what
 * was skipped by it. A crash takes away the walk and the last entries; what is left is replayed. It throws when the walk
 * breaks a rule, whatever the outcome.
 */
export class WalkDriver {
  readonly #graph: Graph;
  readonly #trigger: number;
  #journal: (readonly RecordedRow[])[] = [];
  /** The last row of each node and iteration. */
  #rows = new Map<string, RecordedRow>();
  readonly #seen = new Map<string, Seen>();
  /** What was begun and is not settled. */
  readonly #open = new Map<Place, 'ready' | 'waiting' | 'loop'>();
  readonly #abandoned = new Set<Frame>();
  /** Items that have begun, by the key of their loop. */
  readonly #begun = new Map<string, Set<number>>();
  readonly #rules: Reference;
  #walk: RunWalk;
  #failure: Driven['failure'] = null;

  constructor(
    private readonly workflow: RandomWorkflow,
    private readonly draw: Draw,
  ) {
    this.#graph = compileGraph(workflow.definition, testKinds);
    this.#rules = new Reference(workflow.definition, workflow.script);
    this.#trigger = this.#graph.indexOf(workflow.trigger);
    const { walk, follows } = RunWalk.start(this.#graph, this.#trigger);
    this.#walk = walk;
    this.#follow(follows);
  }

  /** Takes up a run of which this much was recorded, instead of beginning it. */
  takeUp(journal: Journal): this {
    this.#seen.clear();
    this.#loseAllBut(journal);
    return this;
  }

  /** Goes on to the end, with so many crashes on the way at most. */
  run(mostCrashes: number): Driven {
    this.#goOn(mostCrashes);
    const before = { failure: this.#failure, output: this.#walk.output() };
    // The end itself may be lost with the worker: what is recorded leads to it again.
    this.#replay();
    this.#goOn(0);
    const driven = { failure: this.#failure, output: this.#walk.output() };
    must(JSON.stringify(driven) === JSON.stringify(before), 'a replay of everything ends as the run did');
    return { ...driven, rows: this.#rows, journal: this.#journal, seen: this.#seen };
  }

  #goOn(mostCrashes: number): void {
    for (let left = mostCrashes; this.#failure === null;) {
      if (left > 0 && this.draw(8) === 0) {
        left -= 1;
        this.#crash();
      } else if (this.#open.size === 0)
        return must(this.#walk.isFinished, 'a run without open nodes is finished');
      else this.#step();
    }
  }

  /** Something happens to one of the open nodes. */
  #step(): void {
    must(!this.#walk.isFinished, 'a run with open nodes is not finished');
    const possible = [...this.#open].filter(([, stage]) => stage !== 'loop');
    const [place, stage] = possible[this.draw(possible.length)] ?? [];
    if (place === undefined) throw new Error('Loops are under way, and none of their nodes.');
    const { node, frame } = place;
    if (stage === 'ready' && this.draw(4) === 0) {
      this.#record(place, { status: 'waiting' });
      this.#open.set(place, 'waiting');
      return;
    }
    if (node.body === null)
      return this.#settle(place, this.workflow.script.resultOf(node.id, frame.iteration));
    const given = this.workflow.script.itemsOf(node.id, frame.iteration);
    if ('code' in given) this.#settle(place, { status: 'failed', error: given });
    else this.#beginLoop(place, given);
  }

  #beginLoop(place: Place, given: LoopItems): void {
    this.#record(place, { status: 'running', loop: given });
    this.#open.set(place, 'loop');
    this.#follow(this.#walk.beginLoop(place, given));
  }

  #settle(place: Place, result: PlaceResult): void {
    must(this.#open.delete(place), 'only what is open is settled');
    this.#record(
      place,
      result.status === 'succeeded'
        ? { status: 'succeeded', ports: result.ports.join(','), output: result.output }
        : { status: 'failed', error: result.error },
    );
    this.#follow(this.#walk.settle(place, result));
  }

  // ── What follows ──

  #follow({ ready, skipped, ended, abandoned, failure }: Follows): void {
    for (const frame of abandoned) this.#giveUp(frame);
    for (const place of skipped) this.#record(place, { status: 'skipped' });
    for (const place of ready) this.#begin(place);
    if (ended.length === 0 && failure === null) this.#check();
    for (const { place, result } of ended) {
      must(this.#open.get(place) === 'loop', 'a loop that ends had begun');
      this.#settle(place, result);
    }
    if (failure === null) return;
    const { node, frame } = failure.place;
    this.#failure ??= { key: keyOf(node.id, frame.iteration), error: { ...failure.error } };
    this.#open.clear();
  }

  #begin(place: Place): void {
    const { node, frame } = place;
    const key = keyOf(node.id, frame.iteration);
    const status = this.#rows.get(key)?.status ?? 'none';
    must(['none', 'waiting'].includes(status), `what begins has no result: ${key} ${status}`);
    must(!this.#open.has(place), `nothing begins twice: ${key}`);
    must(!this.#abandoned.has(frame), `nothing begins in what was given up: ${key}`);
    this.#open.set(place, status === 'waiting' ? 'waiting' : 'ready');
    if (frame.item !== null) this.#noteItem(frame.item.loop, frame.item.index);
    this.#seen.set(key, { nodes: { ...frame.outputs }, loops: { ...frame.loopNames() } });
  }

  /** Items begin in the order of the list. */
  #noteItem({ node, frame }: Place, index: number): void {
    const key = keyOf(node.id, frame.iteration);
    const begun = this.#begun.get(key) ?? new Set();
    this.#begun.set(key, begun);
    if (begun.has(index)) return;
    const isNext = Array.from({ length: index }, (_, i) => i).every((earlier) => begun.has(earlier));
    must(isNext, `item ${index} of ${key} begins in its turn`);
    begun.add(index);
  }

  #giveUp(frame: Frame): void {
    must(!this.#abandoned.has(frame), 'nothing is given up twice');
    this.#abandoned.add(frame);
    for (const [place, stage] of this.#open) {
      if (place.frame !== frame) continue;
      this.#open.delete(place);
      if (stage !== 'ready') this.#record(place, { status: 'canceled' });
    }
  }

  /** What holds between any two steps. */
  #check(): void {
    for (const place of this.#open.keys()) {
      must(this.#walk.find(place.node.id, place.frame.iteration) === place, 'what is open is found');
      for (let { item } = place.frame; item !== null; { item } = item.loop.frame) {
        must(this.#open.get(item.loop) === 'loop', 'what is open is inside of loops that are under way');
      }
      must(!this.#abandoned.has(place.frame), 'nothing is open in what was given up');
    }
    for (const [place, stage] of this.#open) if (stage === 'loop') this.#checkLoop(place);
    const frames = new Set([this.#walk.root, ...[...this.#open.keys()].map(({ frame }) => frame)]);
    for (const frame of frames) this.#checkFrame(frame);
  }

  /** Whatever may begin has begun, and what leads nowhere is skipped. */
  #checkFrame({ item, iteration }: Frame): void {
    const parent = item?.loop.node.id;
    const inFrame = this.workflow.definition.nodes.filter((node) => node.parent === parent);
    const settled = new Map(
      inFrame.flatMap(({ id }) => {
        const result = settledAs(this.#rows.get(keyOf(id, iteration)));
        return result === null ? [] : [[id, result] as const];
      }),
    );
    const { begin, skip } = this.#rules.dueIn(parent, settled);
    must(skip.length === 0, `${skip.join()} are skipped`);
    for (const id of begin) {
      const place = this.#walk.find(id, iteration);
      must(place !== null && this.#open.has(place), `${id} begins as soon as it may`);
    }
  }

  /** As many items as may be are under way, and no more. */
  #checkLoop(loop: Place): void {
    const { node, frame } = loop;
    const given = this.workflow.script.itemsOf(node.id, frame.iteration);
    if ('code' in given) throw new Error('A loop without items is under way.');
    const inside = [...this.#open.keys()].filter((place) => place.frame.item?.loop === loop);
    const active = new Set(inside.map((place) => place.frame)).size;
    const begun = this.#begun.get(keyOf(node.id, frame.iteration))?.size ?? 0;
    must(active <= given.concurrency, `${active} of ${given.concurrency} items are under way`);
    must(active === given.concurrency || begun === given.items.length, 'no item waits that may begin');
    must(active > 0, 'a loop that is under way has items under way');
  }

  // ── Records ──

  #record({ node, frame }: Place, row: Partial<RecordedRow> & Pick<RecordedRow, 'status'>): void {
    const { iteration } = frame;
    const empty = { nodeId: node.id, iteration, ports: '', output: null, error: null, loop: null };
    this.#write({ ...empty, ...row });
  }

  #write(row: RecordedRow): void {
    const before = this.#rows.get(keyOf(row.nodeId, row.iteration))?.status ?? 'none';
    const isOpen = ['none', 'waiting', 'running'].includes(before);
    must(isOpen, `${row.nodeId}@${row.iteration} is ${before} already, and now ${row.status}`);
    // What follows from a result is recorded together with it, or not at all.
    const last = row.status === 'skipped' || row.status === 'canceled' ? (this.#journal.pop() ?? []) : [];
    this.#journal.push([...last, row]);
    this.#rows.set(keyOf(row.nodeId, row.iteration), row);
  }

  // ── Crashes ──

  #crash(): void {
    const lost = this.draw(3) === 0 ? this.draw(this.#journal.length + 1) : this.draw(3);
    this.#loseAllBut(this.#journal.slice(0, Math.max(0, this.#journal.length - lost)));
  }

  #loseAllBut(journal: Journal): void {
    this.#journal = [...journal];
    this.#rows = new Map(journal.flat().map((row) => [keyOf(row.nodeId, row.iteration), row]));
    this.#replay();
  }

  #replay(): void {
    this.#open.clear();
    this.#abandoned.clear();
    this.#begun.clear();
    this.#failure = null;
    const rows = this.#shuffled([...this.#rows.values()]);
    if (rows.length === 0) {
      // Nothing was recorded: the run begins as if for the first time.
      const { walk, follows } = RunWalk.start(this.#graph, this.#trigger);
      this.#walk = walk;
      return this.#follow(follows);
    }
    const { walk, follows } = RunWalk.replay(this.#graph, this.#trigger, new RecordedRows(rows));
    this.#walk = walk;
    this.#noteItemsOf(rows);
    for (const row of rows)
      if (row.status === 'waiting' || row.status === 'running') this.#restore(row, follows);
    this.#follow(follows);
  }

  /** Takes up a row of a node that had begun and not ended. */
  #restore(row: RecordedRow, follows: Follows): void {
    const place = this.#walk.find(row.nodeId, row.iteration);
    if (place === null) this.#write({ ...row, status: 'canceled', loop: null });
    else if (row.status === 'running') this.#open.set(place, 'loop');
    else must(follows.failure !== null || follows.ready.includes(place), 'what waits goes on');
  }

  /** Items of which anything is recorded have begun. */
  #noteItemsOf(rows: readonly RecordedRow[]): void {
    for (const { nodeId, iteration } of rows) {
      const { parent } = this.workflow.definition.nodes.find(({ id }) => id === nodeId) ?? {};
      if (parent === undefined) continue;
      const steps = iteration.split('.');
      const outer = steps.slice(0, -1).join('.');
      const index = Number(steps.at(-1));
      must(iterationOf(outer, index) === iteration, 'an iteration is the numbers of items');
      const key = keyOf(parent, outer);
      this.#begun.set(key, (this.#begun.get(key) ?? new Set()).add(index));
    }
  }

  #shuffled<T>(list: readonly T[]): readonly T[] {
    return list
      .map((value) => ({ value, key: this.draw(1_000) }))
      .toSorted((a, b) => a.key - b.key)
      .map(({ value }) => value);
  }
}

/** Null for what is under way. */
function settledAs(row: RecordedRow | undefined): PlaceResult | 'skipped' | null {
  if (row?.status === 'skipped') return 'skipped';
  if (row?.status === 'succeeded') {
    return { status: 'succeeded', ports: row.ports.split(','), output: row.output };
  }
  return row?.status === 'failed' && row.error !== null ? { status: 'failed', error: row.error } : null;
}

function must(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`It must hold that ${rule}.`);
}
