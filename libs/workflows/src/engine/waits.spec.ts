import { compileGraph } from '../definition/graph';
import type { Place } from '../definition/frame';
import type { JsonValue } from '../definition/json';
import { RunWalk } from '../definition/run-walk';
import { definitionSchema } from '../definition/schema';
import { builtinKinds } from '../nodes/builtin-kinds';
import { NodeKindRegistry } from '../nodes/registry';
import type { WaitState } from './node-state';
import { type Wait, Waits } from './waits';

const definition = {
  nodes: [
    { id: 'start', type: 'trigger.manual' },
    { id: 'a', type: 'wait.callback' },
    { id: 'b', type: 'wait.callback' },
    { id: 'each', type: 'for_each', params: { items: [1, 2] } },
    { id: 'inner', type: 'wait.callback', parent: 'each' },
  ],
  edges: ['a', 'b', 'each'].map((to) => ({ from: 'start', to })),
};

/** Places of a run: two nodes, and a node in two items of a loop. */
function places(): { readonly a: Place; readonly b: Place; readonly items: readonly Place[] } {
  const graph = compileGraph(definitionSchema.parse(definition), new NodeKindRegistry(builtinKinds()));
  const { walk, follows } = RunWalk.start(graph, graph.indexOf('start'));
  const [start] = follows.ready;
  if (start === undefined) throw new Error('The run has not begun.');
  const { ready } = walk.settle(start, { status: 'succeeded', ports: ['out'], output: null });
  const [a, b, each] = ready;
  if (a === undefined || b === undefined || each === undefined) throw new Error('Nothing follows.');
  const given = { items: [1, 2], concurrency: 2, onItemError: 'fail', collect: null } as const;
  return { a, b, items: walk.beginLoop(each, given).ready };
}

const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const callback: WaitState = { kind: 'wait', on: 'callback', data: null };
const time: WaitState = { kind: 'wait', on: 'time', data: 'kept' };
const approval: WaitState = { kind: 'wait', on: 'approval', data: null };
const retry: WaitState = { kind: 'retry', error: { code: 'test.broken', message: 'broken' } };
const child: WaitState = { kind: 'child', runId: 'r' };
const decision: WaitState = {
  kind: 'decision',
  attempt: 1,
  startedAt: '2026-01-01T00:00:00.000Z',
  request: null,
};

const wait = (state: WaitState, resumeAt: Date | null = null): Wait => ({ resumeAt, attempt: 1, state });

function signal(place: Place, message: JsonValue, keptAt = '1'): Parameters<Waits['receive']>[0] {
  return { runId: 'r', nodeId: place.node.id, iteration: place.frame.iteration, message, keptAt };
}

describe('Waits', () => {
  it.each<[string, WaitState]>([
    ['for a call', callback],
    ['for an approval', approval],
    ['for another run', child],
    ['for a decision', decision],
  ])('%s end with a message, once', (_name, state) => {
    const { a } = places();
    const waits = new Waits();
    waits.add(a, wait(state));
    expect(waits.takeServed(a)).toBeNull();
    waits.receive(signal(a, { ok: true }));
    expect(waits.takeServed(a)).toEqual({ ...wait(state), place: a, message: { ok: true } });
    expect(waits.has(a)).toBe(false);
    expect(waits.takeServed(a)).toBeNull();
  });

  it.each<[string, WaitState]>([
    ['for time', time],
    ['for another attempt', retry],
  ])('%s do not end with a message, which is kept', (_name, state) => {
    const { a } = places();
    const waits = new Waits();
    waits.add(a, wait(state, at(10)));
    waits.receive(signal(a, 'early'));
    expect(waits.takeServed(a)).toBeNull();
    expect(waits.has(a)).toBe(true);
    expect(waits.takeDue(at(10))).toEqual([{ ...wait(state, at(10)), place: a, message: undefined }]);
    waits.add(a, wait(callback));
    expect(waits.takeServed(a)).toMatchObject({ message: 'early' });
  });

  it('take a message that came before the node began to wait', () => {
    const { a } = places();
    const waits = new Waits();
    waits.receive(signal(a, null));
    expect(waits.takeServed(a)).toBeNull();
    waits.add(a, wait(callback));
    // Null is a message like any other.
    expect(waits.takeServed(a)).toMatchObject({ message: null });
  });

  it('give each item of a loop what came for it', () => {
    const { items } = places();
    const [first, second] = items;
    if (first === undefined || second === undefined) throw new Error('The items have not begun.');
    const waits = new Waits();
    for (const place of items) waits.add(place, wait(callback));
    waits.receive(signal(second, 'for the second'));
    expect(waits.takeServed(first)).toBeNull();
    expect(waits.takeServed(second)).toMatchObject({ message: 'for the second' });
    expect(waits.size).toBe(1);
  });

  it('end when their time has come, and not before; those without a time never do', () => {
    const { a, b, items } = places();
    const [first, second] = items;
    if (first === undefined || second === undefined) throw new Error('The items have not begun.');
    const waits = new Waits();
    waits.add(a, wait(time, at(20)));
    waits.add(b, wait(callback));
    waits.add(first, wait(callback, at(10)));
    waits.add(second, wait(retry, at(30)));
    expect(waits.takeDue(at(9))).toEqual([]);
    expect(waits.takeDue(at(20)).map(({ place }) => place)).toEqual([a, first]);
    expect(waits.takeDue(at(20))).toEqual([]);
    expect(waits.takeDue(at(1_000)).map(({ place }) => place)).toEqual([second]);
    expect([waits.size, waits.has(b)]).toEqual([1, true]);
  });

  it('say when something happens next: the earliest time, the deadline at the latest', () => {
    const { a, b } = places();
    const waits = new Waits();
    expect(waits.nextInstant(null)).toBeNull();
    expect(waits.nextInstant(at(50))).toEqual(at(50));
    waits.add(a, wait(callback));
    expect(waits.nextInstant(null)).toBeNull();
    waits.add(a, wait(time, at(20)));
    waits.add(b, wait(retry, at(10)));
    expect(waits.nextInstant(null)).toEqual(at(10));
    expect(waits.nextInstant(at(5))).toEqual(at(5));
    expect(waits.nextInstant(at(50))).toEqual(at(10));
  });

  it('know the attempt of a node; a node that does not wait is at its first', () => {
    const { a, b } = places();
    const waits = new Waits();
    waits.add(a, { ...wait(retry, at(1)), attempt: 3 });
    expect([waits.attemptOf(a), waits.attemptOf(b)]).toEqual([3, 1]);
  });

  it('are undecided as long as one of them asks for a decision', () => {
    const { a, b } = places();
    const waits = new Waits();
    waits.add(a, wait(callback));
    expect(waits.isUndecided).toBe(false);
    waits.add(b, wait(decision));
    expect(waits.isUndecided).toBe(true);
    waits.delete(b);
    expect(waits.isUndecided).toBe(false);
    waits.clear();
    expect(waits.size).toBe(0);
  });
});
