import { begin, effect, end, expectation, FAILING, type Graph, path } from './graph';

const chain: Graph = {
  name: 'chain',
  definition: ({ effectUrl: url }) => ({
    nodes: [begin, effect(url, 'first'), effect(url, 'second', { from: ['first'] }), end('first', 'second')],
    edges: path('begin', 'first', 'second', 'end'),
  }),
  expected: () => expectation(['first', 'second', 'end']),
};

const branches: Graph = {
  name: 'branches',
  definition: ({ effectUrl: url }) => ({
    nodes: [
      begin,
      { id: 'even', type: 'condition', params: { if: '{{ trigger.n % 2 = 0 }}' } },
      effect(url, 'left'),
      effect(url, 'right'),
      effect(url, 'after', { join: 'any' }),
    ],
    edges: [
      ...path('begin', 'even'),
      { from: 'even', port: 'true', to: 'left' },
      { from: 'even', port: 'false', to: 'right' },
      ...path('left', 'after'),
      ...path('right', 'after'),
    ],
  }),
  expected: ({ n }) => {
    const [taken, other] = n % 2 === 0 ? ['left', 'right'] : ['right', 'left'];
    return expectation(['even', taken ?? '', 'after'], { statuses: { [other ?? '']: 'skipped' } });
  },
};

const fanOut: Graph = {
  name: 'fan-out',
  definition: ({ effectUrl: url }) => ({
    nodes: [
      begin,
      effect(url, 'first'),
      effect(url, 'one', { from: ['first'] }),
      effect(url, 'two', { from: ['first'] }),
      effect(url, 'three'),
      effect(url, 'last', { from: ['one', 'two', 'three'] }),
      end('last'),
    ],
    edges: [
      ...path('begin', 'first', 'one', 'last', 'end'),
      ...path('first', 'two', 'last'),
      ...path('begin', 'three', 'last'),
    ],
  }),
  expected: () => expectation(['first', 'one', 'two', 'three', 'last', 'end']),
};

const delay: Graph = {
  name: 'delay',
  definition: ({ effectUrl: url }) => ({
    nodes: [
      begin,
      effect(url, 'first'),
      { id: 'pause', type: 'delay', params: { seconds: '{{ trigger.pause }}' } },
      effect(url, 'second', { from: ['first'] }),
    ],
    edges: path('begin', 'first', 'pause', 'second'),
  }),
  expected: ({ pause }) => expectation(['first', 'pause', 'second'], { delays: { pause } }),
};

/** One branch waits while the other works: the run is held, not parked. */
const delayBeside: Graph = {
  name: 'delay-beside',
  definition: ({ effectUrl: url }) => ({
    nodes: [
      begin,
      { id: 'pause', type: 'delay', params: { seconds: '{{ trigger.pause / 2 }}' } },
      effect(url, 'waited'),
      effect(url, 'at_once'),
      { id: 'short', type: 'delay', params: { seconds: 0.2 } },
      effect(url, 'both', { from: ['waited', 'at_once'] }),
    ],
    edges: [...path('begin', 'pause', 'waited', 'both'), ...path('begin', 'at_once', 'short', 'both')],
  }),
  expected: ({ pause }) =>
    expectation(['pause', 'waited', 'at_once', 'short', 'both'], {
      delays: { pause: pause / 2, short: 0.2 },
    }),
};

const errorPort: Graph = {
  name: 'error-port',
  definition: ({ effectUrl: url }) => ({
    nodes: [
      begin,
      effect(url, FAILING),
      { id: 'never', type: 'set', params: { values: {} } },
      effect(url, 'mended'),
      effect(url, 'after', { from: ['mended'], join: 'any' }),
    ],
    edges: [
      ...path('begin', FAILING, 'never'),
      { from: FAILING, port: 'error', to: 'mended' },
      ...path('mended', 'after'),
    ],
  }),
  expected: () => expectation(['mended', 'after'], { statuses: { [FAILING]: 'failed', never: 'skipped' } }),
};

const choice: Graph = {
  name: 'switch',
  definition: ({ effectUrl: url }) => ({
    nodes: [
      begin,
      {
        id: 'which',
        type: 'switch',
        params: {
          value: '{{ trigger.n % 3 }}',
          cases: [
            { port: 'zero', equals: 0 },
            { port: 'one', equals: 1 },
          ],
        },
      },
      effect(url, 'zero'),
      { id: 'one', type: 'delay', params: { seconds: 0.5 } },
      effect(url, 'other'),
      effect(url, 'after', { join: 'any' }),
    ],
    edges: [
      ...path('begin', 'which'),
      { from: 'which', port: 'zero', to: 'zero' },
      { from: 'which', port: 'one', to: 'one' },
      { from: 'which', port: 'default', to: 'other' },
      ...path('zero', 'after'),
      ...path('one', 'after'),
      ...path('other', 'after'),
    ],
  }),
  expected: ({ n }) => {
    const taken = ['zero', 'one', 'other'][n % 3] ?? '';
    const skipped = ['zero', 'one', 'other'].filter((id) => id !== taken);
    return expectation(['which', taken, 'after'], {
      statuses: Object.fromEntries(skipped.map((id) => [id, 'skipped'])),
      delays: taken === 'one' ? { one: 0.5 } : {},
    });
  },
};

/** The slower of two effects goes on while what follows the faster one runs already. */
const race: Graph = {
  name: 'race',
  definition: ({ effectUrl: url }) => ({
    nodes: [begin, effect(url, 'one'), effect(url, 'two'), effect(url, 'winner', { join: 'any' })],
    edges: [...path('begin', 'one', 'winner'), ...path('begin', 'two', 'winner')],
  }),
  expected: () => expectation(['one', 'two', 'winner']),
};

const failure: Graph = {
  name: 'failure',
  definition: ({ effectUrl: url }) => ({
    nodes: [begin, effect(url, 'first'), { id: 'stop', type: 'fail', params: { message: 'On purpose.' } }],
    edges: path('begin', 'first', 'stop'),
  }),
  expected: () => expectation(['first'], { outcome: 'failed', statuses: { stop: 'failed' } }),
};

/** Effects in a row and side by side, conditions, delays, joins, failures. */
export const plainGraphs: readonly Graph[] = [
  chain,
  chain,
  branches,
  fanOut,
  delay,
  delay,
  delayBeside,
  errorPort,
  choice,
  race,
  failure,
];

/** The graph whose steps are interrupted one by one: each kind of step once, in as few statements as possible. */
export const smallGraph: Graph = {
  name: 'small',
  definition: ({ effectUrl: url }) => ({
    nodes: [
      begin,
      effect(url, 'first'),
      { id: 'which', type: 'condition', params: { if: '{{ trigger.n >= 0 }}' } },
      effect(url, 'one', { from: ['first'] }),
      effect(url, 'two'),
      { id: 'pause', type: 'delay', params: { seconds: '{{ trigger.pause }}' } },
      effect(url, 'last', { from: ['one', 'two'] }),
      { id: 'never', type: 'set', params: { values: {} } },
      end('last'),
    ],
    edges: [
      ...path('begin', 'first', 'which'),
      { from: 'which', port: 'true', to: 'one' },
      { from: 'which', port: 'true', to: 'two' },
      { from: 'which', port: 'false', to: 'never' },
      ...path('one', 'pause', 'last', 'end'),
      ...path('two', 'last'),
    ],
  }),
  expected: ({ pause }) =>
    expectation(['first', 'which', 'one', 'two', 'pause', 'last', 'end'], {
      statuses: { never: 'skipped' },
      delays: { pause },
    }),
};
