import fc from 'fast-check';
import { builtinKinds } from '../nodes/builtin-kinds';
import { NodeKindRegistry } from '../nodes/registry';
import { compileGraph } from './graph';
import { keptNodes, type NodeOfRun } from './kept-nodes';
import { definitionSchema } from './schema';
import { type NodeResult, replay, settle, startWalk } from './walk';

const kinds = new NodeKindRegistry(builtinKinds());

/** `start` is the trigger, `any*` join on any edge. Edges are written `from>to` or `from:port>to`. */
function definitionOf(edges: string, members: Readonly<Record<string, object>> = {}) {
  const parsed = edges.split(' ').map((edge) => {
    const [, from = '', port = 'out', to = ''] = /^(\w+)(?::(\w+))?>(\w+)$/.exec(edge) ?? [];
    return { from, port, to };
  });
  const ids = new Set([...parsed.flatMap(({ from, to }) => [from, to]), ...Object.keys(members)]);
  const nodes = [...ids].map((id) => ({
    id,
    type: id === 'start' ? 'trigger.manual' : 'set',
    join: id.startsWith('any') ? 'any' : 'all',
    ...members[id],
  }));
  return definitionSchema.parse({ nodes, edges: parsed });
}

function recorded(statuses: Readonly<Record<string, NodeOfRun['status']>>): readonly NodeOfRun[] {
  return Object.entries(statuses).map(([nodeId, status]) => ({ nodeId, status }));
}

describe('a run that begins at a node of an earlier one', () => {
  const line = definitionOf('start>a a>b b>c start>d d>c');

  it('keeps the results of all that does not come behind it', () => {
    const all = recorded({ start: 'succeeded', a: 'succeeded', b: 'failed', d: 'succeeded' });
    expect(keptNodes(line, all, 'b')).toEqual({ kept: ['start', 'a', 'd'] });
    expect(keptNodes(line, all, 'a')).toEqual({ kept: ['start', 'd'] });
    expect(keptNodes(line, all, 'start')).toEqual({ kept: [] });
  });

  it('does again what was under way, canceled or failed for good elsewhere', () => {
    const others = recorded({ start: 'succeeded', a: 'canceled', d: 'succeeded', c: 'succeeded' });
    expect(keptNodes(line, others, 'c')).toEqual({ kept: ['start', 'd'] });
    const failed = recorded({ start: 'succeeded', a: 'failed', d: 'waiting' });
    expect(keptNodes(line, failed, 'd')).toEqual({ kept: ['start'] });
  });

  it('keeps a failure that the workflow takes care of', () => {
    const handled = definitionOf('start>a a:error>b start>c c>b', { c: { onError: 'continue' } });
    const all = recorded({ start: 'succeeded', a: 'failed', c: 'failed', b: 'failed' });
    expect(keptNodes(handled, all, 'b')).toEqual({ kept: ['start', 'a', 'c'] });
  });

  it('keeps what was skipped as long as it is skipped for something kept', () => {
    const branches = definitionOf('start>a a:x>b b>e start>c c:x>d start>f');
    const all = recorded({
      start: 'succeeded',
      a: 'succeeded',
      b: 'skipped',
      e: 'skipped',
      c: 'failed',
      d: 'skipped',
      f: 'failed',
    });
    expect(keptNodes(branches, all, 'f')).toEqual({ kept: ['start', 'a', 'b', 'e'] });
  });

  it('names why there is no beginning', () => {
    const loop = definitionOf('start>each each>after', {
      each: { type: 'for_each' },
      inside: { parent: 'each' },
    });
    const all = recorded({ start: 'succeeded', each: 'failed', after: 'skipped', inside: 'succeeded' });
    expect(keptNodes(loop, all, 'nowhere')).toEqual({ reason: 'unknown' });
    expect(keptNodes(loop, all, 'inside')).toEqual({ reason: 'in_body' });
    expect(keptNodes(loop, all, 'after')).toEqual({ reason: 'not_reached' });
    expect(keptNodes(loop, recorded({ start: 'succeeded' }), 'each')).toEqual({ reason: 'not_reached' });
    expect(keptNodes(loop, all, 'each')).toEqual({ kept: ['start'] });
  });
});

/** Edges lead from earlier nodes to later ones, so there is no cycle; node 0 leads to whatever nothing leads to. */
const runs = fc
  .record({
    joins: fc.array(fc.boolean(), { minLength: 2, maxLength: 9 }),
    edges: fc.array(fc.tuple(fc.nat(8), fc.nat(8), fc.constantFrom('out', 'x', 'error')), { maxLength: 20 }),
    results: fc.array(fc.constantFrom('out', 'x', 'nothing', 'failed'), { minLength: 10, maxLength: 10 }),
    from: fc.nat(9),
  })
  .map(({ joins, edges, results, from }) => {
    const ids = ['start', ...joins.map((isAny, i) => `${isAny ? 'any' : 'all'}${i}`)];
    const drawn = edges
      .map(([a, b, port]) => ({ from: Math.min(a, b) % ids.length, to: Math.max(a, b) % ids.length, port }))
      .filter((edge) => edge.from < edge.to);
    const led = new Set(drawn.map(({ to }) => to));
    const all = [
      ...drawn,
      ...ids.flatMap((_, to) => (to > 0 && !led.has(to) ? [{ from: 0, to, port: 'out' }] : [])),
    ];
    const texts = new Set(all.map((edge) => `${ids[edge.from]}:${edge.port}>${ids[edge.to]}`));
    return { definition: definitionOf([...texts].join(' ')), results, from };
  });

describe('whatever the graph and the results', () => {
  it('what is kept is not done again, the node is, and the run ends as if all had been done again', () => {
    fc.assert(
      fc.property(runs, ({ definition, results, from }) => {
        const graph = compileGraph(definition, kinds);
        const result = (index: number): NodeResult => {
          const drawn = results[index] ?? 'out';
          if (drawn === 'failed') return { status: 'failed' };
          return { status: 'succeeded', ports: drawn === 'nothing' ? [] : [drawn] };
        };
        // The earlier run, until a failure that nothing takes care of.
        const { state, ready, skipped } = startWalk(graph, graph.indexOf('start'));
        const statuses = new Map<number, NodeOfRun['status']>(skipped.map((index) => [index, 'skipped']));
        const left = [...ready];
        for (let index = left.shift(); index !== undefined; index = left.shift()) {
          const { status } = result(index);
          statuses.set(index, status);
          const follows = settle(graph, state, index, result(index));
          for (const other of follows.skipped) statuses.set(other, 'skipped');
          left.push(...follows.ready);
          if (follows.unhandledFailure) break;
        }
        const rows = [...statuses].map(([index, status]) => ({
          nodeId: graph.nodes[index]?.id ?? '',
          status,
        }));
        const beginning = definition.nodes[from % definition.nodes.length]?.id ?? '';
        const found = keptNodes(definition, rows, beginning);
        const isReached = !['skipped', undefined].includes(statuses.get(graph.indexOf(beginning)));
        expect('kept' in found).toBe(isReached);
        if ('reason' in found) return;
        const kept = found.kept.map((id) => graph.indexOf(id));
        const settled = kept.filter((index) => statuses.get(index) !== 'skipped');
        const begun = replay(
          graph,
          graph.indexOf('start'),
          settled.map((nodeIndex) => ({ nodeIndex, ...result(nodeIndex) })),
        );
        expect(begun.ready).toContain(graph.indexOf(beginning));
        expect(begun.unhandledFailure).toBe(false);
        for (const index of kept.filter((other) => statuses.get(other) === 'skipped')) {
          expect(begun.skipped).toContain(index);
        }
        const queue = [...begun.ready];
        for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
          expect(kept).not.toContain(index);
          queue.push(...settle(graph, begun.state, index, result(index)).ready);
        }
        const whole = startWalk(graph, graph.indexOf('start'));
        const again = [...whole.ready];
        for (let index = again.shift(); index !== undefined; index = again.shift()) {
          again.push(...settle(graph, whole.state, index, result(index)).ready);
        }
        expect(begun.state).toEqual(whole.state);
      }),
      { numRuns: 500 },
    );
  });
});
