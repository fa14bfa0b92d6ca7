import type { NodeSpec } from './definition';
import { begin, each, effect, end, expectation, FAILING, type Graph, inItems, path } from './graph';

function loop(id: string, items: unknown, options: { readonly [option: string]: unknown } = {}): NodeSpec {
  const { parent, ...params } = options;
  return {
    id,
    type: 'for_each',
    params: { items, concurrency: 2, ...params },
    ...(typeof parent === 'string' && { parent }),
  };
}

const ITEMS = ['a', 'b', 'c', 'd', 'e'];

/** Effects in a row in each item, between them a wait; what follows passes on what all items were answered. */
const loopOfEffects: Graph = {
  name: 'loop',
  definition: ({ effectUrl: url }) => ({
    nodes: [
      begin,
      effect(url, 'first'),
      loop('each', ITEMS, { concurrency: 3, collect: 'note' }),
      effect(url, 'book', { loops: ['each'], from: ['first'], passes: ['{{ item }}'] }),
      { id: 'rest', type: 'delay', parent: 'each', params: { seconds: 0.3 } },
      effect(url, 'note', { loops: ['each'], from: ['book'] }),
      effect(url, 'last', { passes: ['{{ nodes.each.results.body.number }}'] }),
      end('last'),
    ],
    edges: [...path('begin', 'first', 'each', 'last', 'end'), ...path('book', 'rest', 'note')],
  }),
  expected: () =>
    expectation(['first', 'each', ...inItems(ITEMS.length, 'book', 'rest', 'note'), 'last', 'end'], {
      delays: each(inItems(ITEMS.length, 'rest'), 0.3),
    }),
};

/** Cells of rows; one row has none. */
const ROWS = [['a', 'b', 'c'], [], ['d', 'e']];

/** A loop in a loop: what is before it in an item, in it, and behind it. Even cells are marked. */
const loopInLoop: Graph = {
  name: 'loop-in-loop',
  definition: ({ effectUrl: url }) => ({
    nodes: [
      begin,
      loop('rows', ROWS),
      effect(url, 'open', { loops: ['rows'] }),
      loop('cells', '{{ item }}', { parent: 'rows', collect: 'fill' }),
      effect(url, 'fill', { loops: ['rows', 'cells'], from: ['open'], passes: ['{{ item }}'] }),
      { id: 'even', type: 'condition', parent: 'cells', params: { if: '{{ index % 2 = 0 }}' } },
      effect(url, 'mark', { loops: ['rows', 'cells'], from: ['fill'] }),
      effect(url, 'close', { loops: ['rows'], passes: ['{{ nodes.cells.results.body.number ?? [] }}'] }),
      effect(url, 'last', { passes: ['{{ nodes.rows.results.close.body.number }}'] }),
    ],
    edges: [
      ...path('begin', 'rows', 'last'),
      ...path('open', 'cells', 'close'),
      ...path('fill', 'even'),
      { from: 'even', port: 'true', to: 'mark' },
    ],
  }),
  expected: () => {
    const cells = ROWS.flatMap((row, at) => row.map((_, index) => ({ place: `${at}.${index}`, index })));
    const marks = cells.map(({ place, index }) => [
      `mark:${place}`,
      index % 2 === 0 ? 'succeeded' : 'skipped',
    ]);
    return expectation(
      [
        'rows',
        'last',
        ...inItems(ROWS.length, 'open', 'cells', 'close'),
        ...cells.flatMap(({ place }) => [`fill:${place}`, `even:${place}`]),
      ],
      { statuses: Object.fromEntries(marks) },
    );
  },
};

/** Every other item fails; the loop goes on with the next, and tells which did. */
const loopWithFailures: Graph = {
  name: 'loop-with-failures',
  definition: ({ effectUrl: url }) => ({
    nodes: [
      begin,
      loop('each', ITEMS, { onItemError: 'continue', collect: 'fine' }),
      { id: 'even', type: 'condition', parent: 'each', params: { if: '{{ index % 2 = 0 }}' } },
      effect(url, 'fine', { loops: ['each'] }),
      effect(url, FAILING, { loops: ['each'] }),
      effect(url, 'last', { passes: ['{{ nodes.each.failures.index }}'] }),
    ],
    edges: [
      ...path('begin', 'each', 'last'),
      { from: 'even', port: 'true', to: 'fine' },
      { from: 'even', port: 'false', to: FAILING },
    ],
  }),
  expected: () => {
    const [good, bad] = [true, false].map((even) =>
      ITEMS.flatMap((_, index) => ((index % 2 === 0) === even ? [index] : [])),
    );
    const places = (id: string, items: readonly number[] = []) => items.map((item) => `${id}:${item}`);
    return expectation(['each', ...inItems(ITEMS.length, 'even'), ...places('fine', good), 'last'], {
      statuses: {
        ...each([...places('fine', bad), ...places(FAILING, good)], 'skipped'),
        ...each(places(FAILING, bad), 'failed'),
      },
    });
  },
};

/** Loops: of effects and waits, in one another, with items that fail. */
export const loopGraphs: readonly Graph[] = [loopOfEffects, loopInLoop, loopWithFailures];
