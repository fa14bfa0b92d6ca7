import fc from 'fast-check';
import { z } from 'zod';
import type { NodeKind } from '../nodes/node-kind';
import { NodeKindRegistry } from '../nodes/registry';
import { compileGraph, type Graph } from './graph';
import { type EdgeDefinition, definitionSchema } from './schema';
import { isFinished, type NodeResult, replay, settle, startWalk, terminals, type WalkState } from './walk';

const kind = (type: string, role: NodeKind['role']): NodeKind => ({
  type,
  title: type,
  description: type,
  role,
  purity: 'pure',
  params: z.unknown(),
  ports: () => ['out', 'a'],
  execute: () => ({ kind: 'done', output: null }),
});
const kinds = new NodeKindRegistry([kind('trigger.test', 'trigger'), kind('test', 'action')]);

/** `t*` are triggers, `any*` join on any edge. Edges are written `from>to` or `from:port>to`. */
function graphOf(ids: string, edges: string): Graph {
  const nodes = ids.split(' ').map((id) => ({
    id,
    type: id.startsWith('t') ? 'trigger.test' : 'test',
    join: id.startsWith('any') ? 'any' : 'all',
  }));
  const parsed = edges
    .split(' ')
    .filter((edge) => edge !== '')
    .map((edge) => {
      const [, from, port = 'out', to] = /^(\w+)(?::(\w+))?>(\w+)$/.exec(edge) ?? [];
      return { from, port, to };
    });
  return compileGraph(definitionSchema.parse({ nodes, edges: parsed }), kinds);
}

/** One run, spoken of by ids. */
class Run {
  readonly state: WalkState;
  readonly begun: { readonly ready: string[]; readonly skipped: string[] };

  constructor(
    private readonly graph: Graph,
    trigger = 't',
  ) {
    const { state, ready, skipped } = startWalk(graph, graph.indexOf(trigger));
    this.state = state;
    this.begun = { ready: this.ids(ready), skipped: this.ids(skipped) };
  }

  done(id: string, ...ports: string[]): { ready: string[]; skipped: string[] } {
    const result = { status: 'succeeded', ports: ports.length === 0 ? ['out'] : ports } as const;
    const { ready, skipped, unhandledFailure } = settle(
      this.graph,
      this.state,
      this.graph.indexOf(id),
      result,
    );
    expect(unhandledFailure).toBe(false);
    return { ready: this.ids(ready), skipped: this.ids(skipped) };
  }

  failed(id: string): { ready: string[]; skipped: string[]; unhandledFailure: boolean } {
    const follows = settle(this.graph, this.state, this.graph.indexOf(id), { status: 'failed' });
    return { ...follows, ready: this.ids(follows.ready), skipped: this.ids(follows.skipped) };
  }

  terminals(): string[] {
    return this.ids(terminals(this.graph, this.state));
  }

  private ids(indices: readonly number[]): string[] {
    return indices.map((index) => this.graph.nodes[index]?.id ?? '?');
  }
}

describe('A walk', () => {
  test('begins at one trigger; the others and what only they lead to are skipped', () => {
    const run = new Run(graphOf('t t2 a b c', 't>a t2>b a>c b>c'));
    expect(run.begun).toEqual({ ready: ['t'], skipped: ['t2', 'b'] });
    expect(run.done('t')).toEqual({ ready: ['a'], skipped: [] });
    expect(run.done('a')).toEqual({ ready: ['c'], skipped: [] });
    expect(isFinished(run.state)).toBe(false);
    run.done('c');
    expect(isFinished(run.state)).toBe(true);
  });

  test('takes the edges of the ports that a node chose, and the other paths are dead', () => {
    const run = new Run(graphOf('t c x y z', 't>c c:true>x c:false>y y>z'));
    run.done('t');
    expect(run.done('c', 'true')).toEqual({ ready: ['x'], skipped: ['y', 'z'] });
  });

  test('joins all: waits for every edge, and goes on when one of them was taken', () => {
    const run = new Run(graphOf('t c x y j', 't>c t>x c:a>y x>j y>j'));
    expect(run.done('t').ready).toEqual(['c', 'x']);
    expect(run.done('x')).toEqual({ ready: [], skipped: [] });
    expect(run.done('c', 'out')).toEqual({ ready: ['j'], skipped: ['y'] });
  });

  test('joins any: goes on at the first edge taken, once', () => {
    const run = new Run(graphOf('t x y any', 't>x t>y x>any y>any'));
    run.done('t');
    expect(run.done('y').ready).toEqual(['any']);
    expect(run.done('x')).toEqual({ ready: [], skipped: [] });
    run.done('any');
    expect(isFinished(run.state)).toBe(true);
  });

  test('skips a join of any kind when all its edges are dead', () => {
    const run = new Run(graphOf('t x y any j end', 't:a>x t:a>y x>any y>any x>j y>j any>end'));
    expect(run.done('t', 'out')).toEqual({ ready: [], skipped: ['x', 'y', 'any', 'j', 'end'] });
    expect(isFinished(run.state)).toBe(true);
  });

  test('handles a failure by the edges of the port error', () => {
    const run = new Run(graphOf('t a ok rescue', 't>a a>ok a:error>rescue'));
    run.done('t');
    expect(run.failed('a')).toEqual({ ready: ['rescue'], skipped: ['ok'], unhandledFailure: false });
    run.done('rescue');
    expect(run.terminals()).toEqual(['rescue']);
  });

  test('reports a failure that nothing handles', () => {
    const run = new Run(graphOf('t a ok', 't>a a>ok'));
    run.done('t');
    expect(run.failed('a')).toEqual({ ready: [], skipped: ['ok'], unhandledFailure: true });
  });

  test('skips the port error of a node that succeeds', () => {
    const run = new Run(graphOf('t a ok rescue', 't>a a>ok a:error>rescue'));
    run.done('t');
    expect(run.done('a')).toEqual({ ready: ['ok'], skipped: ['rescue'] });
  });

  test('ends a path at a node that has no edge on its port', () => {
    const run = new Run(graphOf('t c x', 't>c c:a>x'));
    run.done('t');
    expect(run.done('c', 'out')).toEqual({ ready: [], skipped: ['x'] });
    expect(run.terminals()).toEqual(['c']);
    expect(isFinished(run.state)).toBe(true);
  });

  test('goes on once to a node that two taken edges lead to', () => {
    const run = new Run(graphOf('t c x', 't>c c:true>x c:false>x'));
    run.done('t');
    expect(run.done('c', 'true')).toEqual({ ready: ['x'], skipped: [] });
  });

  test('names what is ready in topological order, not in the order of the definition', () => {
    const run = new Run(graphOf('late any early t', 't>early t>any t:out>late early:error>late early:a>any'));
    expect(run.done('t').ready).toEqual(['early', 'any']);
  });

  test('refuses a result for a node that is not ready, which would be a bug of the engine', () => {
    const run = new Run(graphOf('t a', 't>a'));
    expect(() => run.done('a')).toThrow('not ready');
    run.done('t');
    expect(() => run.done('t')).toThrow('not ready');
  });
});

describe('A replay', () => {
  const graph = graphOf('t a b j', 't>a t>b a>j b>j');
  const row = (id: string): { nodeIndex: number; status: 'succeeded'; ports: string[] } => ({
    nodeIndex: graph.indexOf(id),
    status: 'succeeded',
    ports: ['out'],
  });

  test('takes rows in any order, and none that nothing recorded leads to', () => {
    const replayed = replay(graph, graph.indexOf('t'), [row('j'), row('b'), row('t')]);
    expect(replayed.ready).toEqual([graph.indexOf('a')]);
  });

  test('tells of a failure that nothing handled', () => {
    const rows = [{ nodeIndex: graph.indexOf('a'), status: 'failed' } as const, row('t')];
    expect(replay(graph, graph.indexOf('t'), rows).unhandledFailure).toBe(true);
  });
});

interface Plan {
  readonly graph: Graph;
  readonly trigger: number;
  readonly results: readonly NodeResult[];
  /** Decides, again and again, which of the ready nodes settles next. */
  readonly choices: readonly number[];
}

const plans = fc
  .record({
    size: fc.integer({ min: 1, max: 9 }),
    triggers: fc.integer({ min: 1, max: 3 }),
    arrows: fc.array(
      fc.record({ from: fc.nat(8), to: fc.nat(8), port: fc.constantFrom('out', 'out', 'a', 'error') }),
      { maxLength: 24, size: 'max' },
    ),
    joins: fc.array(fc.constantFrom('all' as const, 'any' as const), { minLength: 9, maxLength: 9 }),
    places: fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8], { minLength: 9, maxLength: 9 }),
    chosen: fc.nat(2),
    results: fc.array(
      fc.oneof(
        { weight: 1, arbitrary: fc.constant<NodeResult>({ status: 'failed' }) },
        {
          weight: 4,
          arbitrary: fc.subarray(['out', 'a']).map((ports): NodeResult => ({ status: 'succeeded', ports })),
        },
      ),
      { minLength: 9, maxLength: 9 },
    ),
    choices: fc.array(fc.nat(100), { minLength: 9, maxLength: 9 }),
  })
  .map(({ size, triggers, arrows, joins, places, chosen, results, choices }): Plan => {
    const triggerCount = Math.min(triggers, size);
    // Edges lead from lower to higher numbers, so there is no cycle; the definition lists the nodes in any order.
    const edges = new Map<string, EdgeDefinition>();
    for (const { from, to, port } of arrows) {
      const [low, high] = [Math.min(from, to), Math.max(from, to)];
      if (low === high || high >= size || high < triggerCount) continue;
      edges.set(`${low}:${port}>${high}`, { from: `n${low}`, port, to: `n${high}` });
    }
    const nodes = places
      .filter((i) => i < size)
      .map((i) => ({
        id: `n${i}`,
        type: i < triggerCount ? 'trigger.test' : 'test',
        join: joins[i],
      }));
    const graph = compileGraph(definitionSchema.parse({ nodes, edges: [...edges.values()] }), kinds);
    return { graph, trigger: graph.indexOf(`n${chosen % triggerCount}`), results, choices };
  });

type Fate = 'idle' | 'ready' | 'succeeded' | 'failed' | 'skipped';

/** The rules of the README, word by word and without any cleverness. */
class ReferenceRun {
  readonly fates: Fate[];
  private readonly edges: { from: number; to: number; port: string; state: 'pending' | 'taken' | 'dead' }[];

  constructor(
    private readonly graph: Graph,
    trigger: number,
  ) {
    this.fates = graph.nodes.map(() => 'idle');
    this.edges = graph.nodes.flatMap(({ outgoing }) =>
      outgoing.map((edge) => ({ ...edge, state: 'pending' as const })),
    );
    for (const other of graph.triggers) this.fates[other] = other === trigger ? 'ready' : 'skipped';
    this.untilNothingChanges();
  }

  settle(index: number, result: NodeResult): void {
    this.fates[index] = result.status;
    const ports = result.status === 'failed' ? ['error'] : result.ports;
    for (const edge of this.edges) {
      if (edge.from === index) edge.state = ports.includes(edge.port) ? 'taken' : 'dead';
    }
    this.untilNothingChanges();
  }

  private untilNothingChanges(): void {
    for (let before = ''; before !== JSON.stringify(this.edges) + this.fates;) {
      before = JSON.stringify(this.edges) + this.fates;
      for (const edge of this.edges) if (this.fates[edge.from] === 'skipped') edge.state = 'dead';
      for (const node of this.graph.nodes) {
        if (this.fates[node.index] === 'idle') this.fates[node.index] = this.fateOf(node.index, node.join);
      }
    }
  }

  private fateOf(index: number, join: 'all' | 'any'): Fate {
    const incoming = this.edges.filter(({ to }) => to === index);
    // The reference does not say what becomes of a node that nothing leads to: no valid definition has one.
    if (incoming.length === 0) return 'idle';
    const isTaken = incoming.some(({ state }) => state === 'taken');
    const isPending = incoming.some(({ state }) => state === 'pending');
    if (join === 'any' && isTaken) return 'ready';
    if (isPending) return 'idle';
    return isTaken ? 'ready' : 'skipped';
  }
}

interface Trace {
  readonly state: WalkState;
  readonly fates: readonly Fate[];
  readonly ready: readonly number[];
  readonly settled: readonly number[];
}

/** Runs the plan by the walker, next to the reference, for that many completions. */
function walked({ graph, trigger, results, choices }: Plan, completions: number): Trace {
  const { state, ...begun } = startWalk(graph, trigger);
  const reference = new ReferenceRun(graph, trigger);
  const fates: Fate[] = graph.nodes.map(() => 'idle');
  let ready: number[] = [];
  const follow = (follows: {
    readonly ready: readonly number[];
    readonly skipped: readonly number[];
  }): void => {
    for (const [list, fate] of [
      [follows.ready, 'ready'],
      [follows.skipped, 'skipped'],
    ] as const) {
      const ranks = list.map((index) => graph.nodes[index]?.rank ?? -1);
      expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
      for (const index of list) {
        expect(fates[index]).toBe('idle');
        fates[index] = fate;
      }
    }
    ready = [...ready, ...follows.ready];
    expect(fates).toEqual(reference.fates);
    expect(isFinished(state)).toBe(ready.length === 0);
  };
  follow(begun);
  const settled: number[] = [];
  while (ready.length > 0 && settled.length < completions) {
    const [index = -1] = ready.splice((choices[settled.length] ?? 0) % ready.length, 1);
    const result = results[index] ?? { status: 'failed' };
    settled.push(index);
    fates[index] = result.status;
    reference.settle(index, result);
    follow(settle(graph, state, index, result));
  }
  return { state, fates, ready, settled };
}

// Property tests take their time on a busy machine.
jest.setTimeout(60_000);

describe('Whatever the graph, the results and the order in which nodes complete', () => {
  test('the walker agrees with the rules at each step, and no node settles twice', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const { settled, ready } = walked(plan, Infinity);
        expect(new Set(settled).size).toBe(settled.length);
        expect(ready).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('the end does not depend on the order', () => {
    fc.assert(
      fc.property(plans, fc.array(fc.nat(100), { minLength: 9, maxLength: 9 }), (plan, choices) => {
        const one = walked(plan, Infinity);
        const other = walked({ ...plan, choices }, Infinity);
        expect(other.fates).toEqual(one.fates);
        expect(other.state).toEqual(one.state);
        expect(terminals(plan.graph, other.state)).toEqual(terminals(plan.graph, one.state));
      }),
      { numRuns: 150 },
    );
  });

  test('a replay of what was recorded, in any order, gives the live state', () => {
    fc.assert(
      fc.property(plans, fc.nat(9), fc.infiniteStream(fc.nat(1_000)), (plan, completions, random) => {
        const live = walked(plan, completions);
        const rows = live.settled
          .map((nodeIndex) => ({
            key: random.next().value,
            row: { nodeIndex, ...(plan.results[nodeIndex] ?? { status: 'failed' as const }) },
          }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ row }) => row);
        const replayed = replay(plan.graph, plan.trigger, rows);
        expect(replayed.state).toEqual(live.state);
        expect(new Set(replayed.ready)).toEqual(new Set(live.ready));
        const skipped = live.fates.flatMap((fate, index) => (fate === 'skipped' ? [index] : []));
        expect(replayed.skipped.toSorted((a, b) => a - b)).toEqual(skipped);
      }),
      { numRuns: 300 },
    );
  });
});
