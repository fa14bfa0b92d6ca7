import type { Expectation } from '../history/history';
import type { SeededRandom } from '../random';
import type { Definition, EdgeSpec, NodeSpec } from './definition';

/** What a run is started with. Every graph finds what it needs in it. */
export interface LoadInput {
  /** The start's key, by which a run is known to whoever asked for it. */
  readonly key: string;
  readonly n: number;
  /** Seconds of delays. */
  readonly pause: number;
}

/** What nodes of a graph name. */
export interface Surroundings {
  readonly effectUrl: string;
  /** The workflow that the graph calls; empty where it calls none. */
  readonly calledId: string;
}

/** A kind of workflow that the lab runs: its nodes, and how its runs end when nothing goes wrong. */
export interface Graph {
  readonly name: string;
  /** The graph whose workflow it runs, and what each run asks of it. */
  readonly called?: { readonly graph: Graph; inputs(input: LoadInput): readonly LoadInput[] };
  /** Each node stands behind those that lead to it, and a body behind its loop. */
  definition(surroundings: Surroundings): Definition;
  expected(input: LoadInput): Expectation;
}

/** Every run of a graph: those that are started, and of called ones those that their callers start. */
export interface Asked {
  readonly graph: Graph;
  readonly input: LoadInput;
}

/** What a start asks for: its run, and whatever that calls. */
export function askedBy(graph: Graph, input: LoadInput): readonly Asked[] {
  const { called } = graph;
  const calls = called?.inputs(input).flatMap((one) => askedBy(called.graph, one)) ?? [];
  return [{ graph, input }, ...calls];
}

/** A graph and those that it calls. */
export function withCalled(graph: Graph): readonly Graph[] {
  return graph.called ? [graph, ...withCalled(graph.called.graph)] : [graph];
}

/** Another input for each start. */
export function inputFor(random: SeededRandom, key: string): LoadInput {
  return { key, n: random.between(0, 999), pause: random.between(2, 30) / 10 };
}

export const begin: NodeSpec = { id: 'begin', type: 'trigger.manual' };

/** How an effect differs from the usual one. */
export interface EffectOptions {
  /** Nodes whose answers it passes on, so that a second answer would show. */
  readonly from?: readonly string[];
  /** Other expressions whose values it passes on. */
  readonly passes?: readonly string[];
  /** The loops around it, the outermost first. */
  readonly loops?: readonly string[];
  readonly join?: 'any';
  readonly repeat?: 'unsafe';
  /** A node that waits for a call, which the outside world is to make. */
  readonly callback?: string;
}

/** A call of the effect recorder, which tells it where in the run it is. */
export function effect(effectUrl: string, id: string, options: EffectOptions = {}): NodeSpec {
  const { from = [], passes = [], loops = [], join, repeat, callback } = options;
  const parent = loops.at(-1);
  const iteration = loops.map((loop) => `{{ loops.${loop}.index }}`).join('.');
  return {
    id,
    type: 'http.request',
    params: {
      method: 'POST',
      url: `${effectUrl}/${id}${loops.length === 0 ? '' : `/${iteration}`}`,
      body: {
        json: {
          run: '{{ run.id }}',
          from: [...from.map((node) => `{{ nodes.${node}.body.number }}`), ...passes],
          // It takes its time, so that kills find it under way.
          ...(repeat === 'unsafe' && { slow: true }),
          ...(callback !== undefined && {
            callback: { nodeId: callback, url: `{{ run.callbacks.${callback} }}` },
          }),
        },
      },
    },
    ...(parent !== undefined && { parent }),
    ...(join !== undefined && { join }),
    ...(repeat !== undefined && { repeat }),
  };
}

/** The last node gives the numbers that effects were answered. */
export function end(...from: readonly string[]): NodeSpec {
  const numbers = from.map((node) => `{{ nodes.${node}.body.number }}`);
  return { id: 'end', type: 'set', params: { values: { numbers } } };
}

export function path(...ids: readonly string[]): readonly EdgeSpec[] {
  return ids.slice(1).map((to, index) => ({ from: ids[index] ?? '', to }));
}

/** These nodes in each of so many items, as expectations name them. */
export function inItems(count: number, ...ids: readonly string[]): readonly string[] {
  return ids.flatMap((id) => Array.from({ length: count }, (_, index) => `${id}:${index}`));
}

/** All places succeed but those of `others`, and there are no more. */
export function expectation(
  succeeded: readonly string[],
  { outcome = 'succeeded', delays = {}, calls = [], ...others }: Partial<Expectation> = {},
): Expectation {
  return {
    outcome,
    delays,
    calls,
    statuses: { ...each(['begin', ...succeeded], 'succeeded'), ...others.statuses },
  };
}

/** The same value for each place. */
export function each<T>(places: readonly string[], value: T): Readonly<Record<string, T>> {
  return Object.fromEntries(places.map((place) => [place, value]));
}

/** A path below which the recorder answers with an error. */
export const FAILING = 'failing';
