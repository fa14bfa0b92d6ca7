import { placeNamed } from '../history/place';
import { nodeFactsOf } from './definition';
import { askedBy, type Graph, type LoadInput, withCalled } from './graph';
import { graphs } from './graphs';
import { smallGraph } from './plain-graphs';

const SURROUNDINGS = { effectUrl: 'http://effects', calledId: 'called' } as const;
const INPUTS: readonly LoadInput[] = [0, 1, 2, 3].map((n) => ({ key: 'start-1', n, pause: 1 }));

describe('what is known of nodes', () => {
  const facts = nodeFactsOf({
    nodes: [
      { id: 'begin', type: 'trigger.manual' },
      { id: 'rows', type: 'for_each' },
      { id: 'open', type: 'http.request', parent: 'rows' },
      { id: 'cells', type: 'for_each', parent: 'rows' },
      { id: 'fill', type: 'http.request', parent: 'cells' },
      { id: 'either', type: 'set', parent: 'rows', join: 'any' },
      { id: 'last', type: 'http.request' },
    ],
    edges: [
      { from: 'begin', to: 'rows' },
      { from: 'rows', to: 'last' },
      { from: 'open', to: 'cells' },
      { from: 'open', to: 'either' },
      { from: 'cells', to: 'either' },
    ],
  });

  it('has the loops around them, and what comes before them: in a body also what comes before its loop', () => {
    expect([facts.get('fill')?.loops, facts.get('fill')?.after]).toEqual([
      ['rows', 'cells'],
      ['open', 'begin'],
    ]);
  });

  it('has all that is in a loop before what comes behind it', () => {
    expect(new Set(facts.get('last')?.after)).toEqual(
      new Set(['begin', 'rows', 'open', 'cells', 'fill', 'either']),
    );
  });

  it('has before a join of any only what all its ways have in common', () => {
    expect(new Set(facts.get('either')?.after)).toEqual(new Set(['open', 'begin']));
  });
});

describe('the graphs', () => {
  const all = [...new Set([...graphs, smallGraph].flatMap(withCalled))];

  it.each(all.map((graph) => [graph.name, graph] as const))(
    '%s expects places of all its nodes and of no others, each as deep as it is in loops',
    (_name, graph: Graph) => {
      const facts = nodeFactsOf(graph.definition(SURROUNDINGS));
      for (const input of INPUTS) {
        const { statuses, delays } = graph.expected(input);
        const places = Object.keys(statuses).map((name) => placeNamed('run', name));
        expect(new Set(places.map(({ nodeId }) => nodeId))).toEqual(new Set(facts.keys()));
        for (const { nodeId, iteration } of places) {
          const depth = iteration === '' ? 0 : iteration.split('.').length;
          expect(depth).toBe(facts.get(nodeId)?.loops.length);
        }
        expect(Object.keys(delays).filter((name) => statuses[name] !== 'succeeded')).toEqual([]);
      }
    },
  );

  it.each(all.map((graph) => [graph.name, graph] as const))(
    '%s has each node behind those that lead to it, and behind its loop',
    (_name, graph) => {
      const { nodes, edges } = graph.definition(SURROUNDINGS);
      const at = new Map(nodes.map(({ id }, index) => [id, index]));
      const ways = [
        ...edges,
        ...nodes.flatMap(({ id, parent }) => (parent ? [{ from: parent, to: id }] : [])),
      ];
      expect(ways.filter(({ from, to }) => (at.get(from) ?? Infinity) >= (at.get(to) ?? -1))).toEqual([]);
    },
  );

  it('ask with a start for the runs that it calls, under the keys that their caller expects', () => {
    for (const graph of graphs) {
      for (const input of INPUTS) {
        const [own, ...called] = askedBy(graph, input);
        expect(own).toEqual({ graph, input });
        expect(called.map((one) => one.input.key)).toEqual(graph.expected(input).calls);
      }
    }
  });
});
