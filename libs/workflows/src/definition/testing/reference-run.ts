/**
 * The rules of the README, written down once more without any cleverness: recursive, and without an order of events.
 * It says how a run ends, and where that depends on what completes first, all the ways in which it may. It knows
 * definitions and results, and nothing of the walker that it is held against.
 */
import type { JsonObject, JsonValue } from '../json';
import type { LoopItems, PlaceError, PlaceResult } from '../results';
import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from '../schema';
import { type Expected, OneOf } from './expected';

/** What nodes give when they are executed: all that a definition does not say. */
export interface Script {
  resultOf(nodeId: string, iteration: string): PlaceResult;
  /** What a loop goes through, or why it can not begin. */
  itemsOf(nodeId: string, iteration: string): LoopItems | PlaceError;
}

/** A failure that nothing takes care of. */
export interface ReferenceFailure {
  readonly nodeId: string;
  readonly iteration: string;
  readonly error: PlaceError;
}

/** What may become of a node in one iteration. */
export interface Fate {
  readonly becomes: 'executed' | 'skipped';
  /** False in what a failure cuts short: it may as well not come to this. */
  readonly isCertain: boolean;
  /** How it ends when it is executed. */
  readonly result: ExpectedResult | null;
}

export type ExpectedResult =
  | { readonly status: 'succeeded'; readonly ports: readonly string[]; readonly output: Expected }
  | { readonly status: 'failed'; readonly errors: readonly PlaceError[] };

/** How a frame ends: a run, or one item of a loop. Nodes that are in no fate are never heard of. */
export interface ReferenceFrame {
  readonly fates: ReadonlyMap<string, Fate>;
  /** Empty: it succeeds. Else it fails with one of these. */
  readonly failures: readonly ReferenceFailure[];
  /** By node id, of the last nodes. */
  readonly lastOutputs: { readonly [nodeId: string]: Expected };
}

/** A node in an iteration, as the keys of fates. */
export function keyOf(nodeId: string, iteration: string): string {
  return `${nodeId}@${iteration}`;
}

/** An item's iteration in that of its loop. */
export function iterationOf(outer: string, index: number): string {
  return outer === '' ? `${index}` : `${outer}.${index}`;
}

export class Reference {
  constructor(
    private readonly definition: WorkflowDefinition,
    private readonly script: Script,
  ) {}

  run(trigger: string): ReferenceFrame {
    return this.#frame(undefined, '', trigger);
  }

  node(id: string): NodeDefinition {
    const node = this.definition.nodes.find((each) => each.id === id);
    if (node === undefined) throw new Error(`There is no node ${id}.`);
    return node;
  }

  /** What the rules say of the nodes in a frame that are not settled, when these are. */
  dueIn(
    parent: string | undefined,
    settled: ReadonlyMap<string, PlaceResult | 'skipped'>,
  ): { readonly begin: readonly string[]; readonly skip: readonly string[] } {
    const stages = new Map([...settled].map(([id, result]) => [id, stageOf(result)] as const));
    const left = this.definition.nodes.filter((node) => node.parent === parent && !stages.has(node.id));
    const idsOf = (arrival: 'begin' | 'skip'): readonly string[] =>
      left.filter((node) => this.#arrivalAt(node, stages) === arrival).map(({ id }) => id);
    return { begin: idsOf('begin'), skip: idsOf('skip') };
  }

  /** The nodes that lead to this one, over any number of edges. */
  leadingTo(id: string): ReadonlySet<string> {
    const direct = this.#incoming(id).map(({ from }) => from);
    return new Set([...direct, ...direct.flatMap((from) => [...this.leadingTo(from)])]);
  }

  /** The nodes of which it is certain that they are over when this one begins: not so behind a join of any edge. */
  overBefore(id: string): ReadonlySet<string> {
    const incoming = this.#incoming(id);
    if (this.node(id).join === 'any' && incoming.length > 1) return new Set();
    return new Set(incoming.flatMap(({ from }) => [from, ...this.overBefore(from)]));
  }

  #frame(parent: string | undefined, iteration: string, trigger: string | null): ReferenceFrame {
    const nodes = this.definition.nodes.filter((node) => node.parent === parent);
    const stages = new Map<string, Stage>();
    const inner: Fates = new Map();
    for (const { id, type } of nodes) {
      if (type.startsWith('trigger.') && id !== trigger) stages.set(id, { kind: 'skipped' });
    }
    // Whatever fails with nobody to take care of it stays as it is: so everything is found that may begin before.
    for (let before = -1; before !== stages.size;) {
      before = stages.size;
      for (const node of nodes) {
        if (stages.has(node.id)) continue;
        const arrival = this.#arrivalAt(node, stages);
        if (arrival === 'skip') stages.set(node.id, { kind: 'skipped' });
        if (arrival !== 'begin') continue;
        const { result, fates } = this.#executed(node, iteration);
        for (const [key, fate] of fates) inner.set(key, fate);
        stages.set(node.id, { kind: this.#isTakenCareOf(node, result) ? 'over' : 'doomed', result });
      }
    }
    return this.#ended({ nodes, iteration, stages, inner });
  }

  /** What the edges into a node say by now. */
  #arrivalAt({ id, join }: NodeDefinition, stages: Stages): 'begin' | 'skip' | 'wait' {
    const incoming = this.#incoming(id);
    if (incoming.length === 0) return 'begin';
    const states = incoming.map((edge) => this.#stateOf(edge, stages));
    if (join === 'any' && states.includes('taken')) return 'begin';
    if (states.includes('pending')) return 'wait';
    return states.includes('taken') ? 'begin' : 'skip';
  }

  #stateOf({ from, port }: EdgeDefinition, stages: Stages): 'pending' | 'taken' | 'dead' {
    const stage = stages.get(from);
    if (stage === undefined || stage.kind === 'doomed') return 'pending';
    if (stage.kind === 'skipped') return 'dead';
    return this.#portsOf(this.node(from), stage.result).includes(port) ? 'taken' : 'dead';
  }

  #portsOf({ onError }: NodeDefinition, result: ExpectedResult): readonly string[] {
    if (result.status === 'succeeded') return result.ports;
    return onError === 'continue' ? ['out'] : ['error'];
  }

  #isTakenCareOf({ id, onError }: NodeDefinition, { status }: ExpectedResult): boolean {
    if (status === 'succeeded' || onError === 'continue') return true;
    return this.definition.edges.some(({ from, port }) => from === id && port === 'error');
  }

  #executed(
    { id, type }: NodeDefinition,
    iteration: string,
  ): { readonly result: ExpectedResult; readonly fates: Fates } {
    if (type === 'for_each') return this.#loop(id, iteration);
    return { result: expectedOf(this.script.resultOf(id, iteration)), fates: new Map() };
  }

  #loop(id: string, outer: string): { readonly result: ExpectedResult; readonly fates: Fates } {
    const given = this.script.itemsOf(id, outer);
    if ('code' in given) return { result: { status: 'failed', errors: [given] }, fates: new Map() };
    const items = given.items.map((_, i) => this.#frame(id, iterationOf(outer, i), null));
    const isFailed = (index: number): boolean => (items[index]?.failures.length ?? 0) > 0;
    const failing = [...items.keys()].filter(isFailed);
    if (given.onItemError === 'fail' && failing.length > 0) {
      // An item that fails makes no room for another: no more of these begin than may be under way at a time.
      const first = failing.slice(0, given.concurrency);
      const errors = first.flatMap((index) =>
        (items[index]?.failures ?? []).map((failure) => itemFailed(index, failure)),
      );
      const begun = items.slice(0, (failing[given.concurrency - 1] ?? items.length) + 1);
      return {
        result: { status: 'failed', errors },
        fates: merged(begun.map(({ fates }) => doubted(fates))),
      };
    }
    const failures = failing.map((index) => ({
      index,
      error: new OneOf(
        (items[index]?.failures ?? []).map(({ error: { code, message } }) => ({ code, message })),
      ),
    }));
    const results = items.map((item, i) => {
      if (isFailed(i)) return null;
      return given.collect === null
        ? item.lastOutputs
        : this.#collected(item, given.collect, iterationOf(outer, i));
    });
    const output = { results, failures };
    return {
      result: { status: 'succeeded', ports: ['out'], output },
      fates: merged(items.map(({ fates }) => fates)),
    };
  }

  #collected({ fates }: ReferenceFrame, nodeId: string, iteration: string): Expected {
    const result = fates.get(keyOf(nodeId, iteration))?.result ?? null;
    return result === null ? null : outputOf(result);
  }

  #ended({ nodes, iteration, stages, inner }: Settled): ReferenceFrame {
    const fates: Fates = new Map(inner);
    const failures: ReferenceFailure[] = [];
    const lastOutputs: { [nodeId: string]: Expected } = {};
    for (const { id } of nodes) {
      const stage = stages.get(id);
      const result = stage === undefined || stage.kind === 'skipped' ? null : stage.result;
      const becomes = result === null ? 'skipped' : 'executed';
      fates.set(keyOf(id, iteration), { becomes, isCertain: true, result });
      if (stage?.kind === 'doomed' && result?.status === 'failed') {
        failures.push(...result.errors.map((error) => ({ nodeId: id, iteration, error })));
      }
      if (stage?.kind === 'over' && this.#isLast(id, stage.result)) lastOutputs[id] = outputOf(stage.result);
    }
    return failures.length > 0
      ? { fates: doubted(fates), failures, lastOutputs: {} }
      : { fates, failures, lastOutputs };
  }

  #isLast(id: string, result: ExpectedResult): boolean {
    const ports = this.#portsOf(this.node(id), result);
    return !this.definition.edges.some(({ from, port }) => from === id && ports.includes(port));
  }

  #incoming(id: string): readonly EdgeDefinition[] {
    return this.definition.edges.filter(({ to }) => to === id);
  }
}

type Stage =
  | { readonly kind: 'skipped' }
  /** Settled; a failure has been taken care of. */
  | { readonly kind: 'over'; readonly result: ExpectedResult }
  /** Its failure ends the frame. */
  | { readonly kind: 'doomed'; readonly result: ExpectedResult };

type Stages = ReadonlyMap<string, Stage>;
type Fates = Map<string, Fate>;

interface Settled {
  readonly nodes: readonly NodeDefinition[];
  readonly iteration: string;
  readonly stages: Stages;
  /** Of the bodies of loops. */
  readonly inner: ReadonlyMap<string, Fate>;
}

function expectedOf(result: PlaceResult): ExpectedResult {
  return result.status === 'succeeded' ? result : { status: 'failed', errors: [result.error] };
}

function stageOf(result: PlaceResult | 'skipped'): Stage {
  return result === 'skipped' ? { kind: 'skipped' } : { kind: 'over', result: expectedOf(result) };
}

/** What later nodes find under the node's name. */
export function outputOf(result: ExpectedResult): Expected {
  if (result.status === 'succeeded') return result.output;
  return { error: new OneOf(result.errors.map(shownError)) };
}

function shownError({ code, message, details }: PlaceError): JsonObject {
  return details === undefined ? { code, message } : { code, message, details };
}

function itemFailed(index: number, { nodeId, error }: ReferenceFailure): PlaceError {
  return {
    code: 'node.item_failed',
    message: `Item ${index} failed at the node ${nodeId}: ${error.message}`,
    details: { index, nodeId, code: error.code },
  };
}

function doubted(fates: ReadonlyMap<string, Fate>): Fates {
  return new Map([...fates].map(([key, fate]) => [key, { ...fate, isCertain: false }]));
}

function merged(all: readonly ReadonlyMap<string, Fate>[]): Fates {
  return new Map(all.flatMap((fates) => [...fates]));
}

/** What expressions see of the loops around an iteration: outermost first, as in its text. */
export function loopsAround(
  { nodes }: WorkflowDefinition,
  place: { readonly parent: string | undefined; readonly iteration: string },
): readonly { readonly loop: string; readonly iteration: string; readonly index: number }[] {
  if (place.parent === undefined) return [];
  const { parent } = place;
  const steps = place.iteration.split('.');
  const iteration = steps.slice(0, -1).join('.');
  const outer = loopsAround(
    { nodes, edges: [] },
    { parent: nodes.find(({ id }) => id === parent)?.parent, iteration },
  );
  return [...outer, { loop: parent, iteration, index: Number(steps.at(-1)) }];
}

/** The value an expression finds for an item. */
export function itemAt(given: LoopItems | PlaceError, index: number): JsonValue {
  return 'items' in given ? (given.items[index] ?? null) : null;
}
