import { begin, effect, end, expectation, type Graph, inItems, type LoadInput, path } from './graph';

const calledGraph: Graph = {
  name: 'called',
  definition: ({ effectUrl: url }) => ({
    nodes: [
      { id: 'begin', type: 'trigger.workflow' },
      effect(url, 'work'),
      { id: 'rest', type: 'delay', params: { seconds: '{{ trigger.pause }}' } },
      effect(url, 'more', { from: ['work'] }),
      end('work', 'more'),
    ],
    edges: path('begin', 'work', 'rest', 'more', 'end'),
  }),
  expected: ({ pause }) => expectation(['work', 'rest', 'more', 'end'], { delays: { rest: pause } }),
};

function calledInput({ key, n, pause }: LoadInput): LoadInput {
  return { key: `${key}/child`, n, pause: pause / 2 };
}

/** Runs another workflow, waits for its end, and passes on what that run was answered. */
const caller: Graph = {
  name: 'caller',
  called: { graph: calledGraph, inputs: (input) => [calledInput(input)] },
  definition: ({ effectUrl: url, calledId }) => ({
    nodes: [
      begin,
      effect(url, 'first'),
      {
        id: 'call',
        type: 'run.workflow',
        params: {
          workflowId: calledId,
          input: { key: '{{ trigger.key }}/child', n: '{{ trigger.n }}', pause: '{{ trigger.pause / 2 }}' },
        },
      },
      effect(url, 'beside', { from: ['first'] }),
      effect(url, 'last', { from: ['first', 'beside'], passes: ['{{ nodes.call.output.end.numbers }}'] }),
    ],
    edges: [...path('begin', 'first', 'call', 'last'), ...path('first', 'beside', 'last')],
  }),
  expected: (input) => expectation(['first', 'call', 'beside', 'last'], { calls: [calledInput(input).key] }),
};

/** Items of the loops below. */
const ITEMS = ['a', 'b', 'c'];

/** Calls a workflow for each item. */
const callerOfMany: Graph = {
  name: 'caller-of-many',
  called: { graph: calledGraph, inputs: (input) => manyInputs(input) },
  definition: ({ effectUrl: url, calledId }) => ({
    nodes: [
      begin,
      { id: 'each', type: 'for_each', params: { items: ITEMS, concurrency: 2, collect: 'call' } },
      {
        id: 'call',
        type: 'run.workflow',
        parent: 'each',
        params: {
          workflowId: calledId,
          input: { key: '{{ trigger.key }}/child/{{ index }}', n: '{{ trigger.n }}', pause: 0.2 },
        },
      },
      effect(url, 'last', { passes: ['{{ nodes.each.results.output.end.numbers }}'] }),
    ],
    edges: path('begin', 'each', 'last'),
  }),
  expected: (input) =>
    expectation(['each', ...inItems(ITEMS.length, 'call'), 'last'], {
      calls: manyInputs(input).map(({ key }) => key),
    }),
};

function manyInputs({ key, n }: LoadInput): readonly LoadInput[] {
  return ITEMS.map((_, index) => ({ key: `${key}/child/${index}`, n, pause: 0.2 }));
}

/** Tells the outside world where to call back, and goes on with what it says. */
const callback: Graph = {
  name: 'callback',
  definition: ({ effectUrl: url }) => ({
    nodes: [
      begin,
      effect(url, 'ask', { callback: 'answer' }),
      { id: 'answer', type: 'wait.callback' },
      effect(url, 'after', { passes: ['{{ nodes.answer.number }}'] }),
    ],
    edges: path('begin', 'ask', 'answer', 'after'),
  }),
  expected: () => expectation(['ask', 'answer', 'after']),
};

/** The same in each item, each with an address of its own. */
const callbacks: Graph = {
  name: 'callbacks',
  definition: ({ effectUrl: url }) => ({
    nodes: [
      begin,
      { id: 'each', type: 'for_each', params: { items: ITEMS, concurrency: 2, collect: 'answer' } },
      effect(url, 'ask', { loops: ['each'], callback: 'answer' }),
      { id: 'answer', type: 'wait.callback', parent: 'each' },
      effect(url, 'after', { passes: ['{{ nodes.each.results.number }}'] }),
    ],
    edges: [...path('begin', 'each', 'after'), ...path('ask', 'answer')],
  }),
  expected: () => expectation(['each', ...inItems(ITEMS.length, 'ask', 'answer'), 'after']),
};

/** Effects that nobody repeats: after a crash inside one a person says what it gave. */
const unsafe: Graph = {
  name: 'unsafe',
  definition: ({ effectUrl: url }) => ({
    nodes: [
      begin,
      effect(url, 'charge', { repeat: 'unsafe' }),
      effect(url, 'beside'),
      { id: 'each', type: 'for_each', params: { items: ITEMS, concurrency: 2, collect: 'ship' } },
      effect(url, 'ship', { loops: ['each'], from: ['charge'], repeat: 'unsafe' }),
      effect(url, 'after', { from: ['charge', 'beside'], passes: ['{{ nodes.each.results.body.number }}'] }),
    ],
    edges: [...path('begin', 'charge', 'each', 'after'), ...path('begin', 'beside', 'after')],
  }),
  expected: () => expectation(['charge', 'beside', 'each', ...inItems(ITEMS.length, 'ship'), 'after']),
};

/** Runs that wait for others, for calls and for people. */
export const messageGraphs: readonly Graph[] = [caller, callerOfMany, callback, callbacks, unsafe, unsafe];
