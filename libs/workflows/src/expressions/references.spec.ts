import { compileExpression } from './compile';

function references(source: string): readonly string[] {
  return compileExpression({ source, start: 0, pointer: '' }).references.map(({ nodeId }) => nodeId);
}

describe('References to nodes', () => {
  test.each<[string, string[]]>([
    ['trigger.body', []],
    ['nodes.a.x', ['a']],
    ['nodes.`a`[0].x', ['a']],
    ['nodes."a".x', ['a']],
    ['$$.nodes.a', ['a']],
    ['$.nodes.a', ['a']],
    ['nodes.a.x + nodes.b.y * $sum(nodes.c.z)', ['a', 'b', 'c']],
    ['nodes.a = nodes.a', ['a']],
    ['nodes.a ?? nodes.b', ['a', 'b']],
    ['{"x": nodes.a, "y": [nodes.b]}', ['a', 'b']],
    ['trigger.ok ? nodes.a : nodes.b', ['a', 'b']],
    ['($x := nodes.a; $x.y)', ['a']],
    ['$map(trigger.rows, function($r) { $r.id & nodes.a.id })', ['a']],
    ['$lookup(nodes, "a")', ['a']],
    ['trigger.rows[id = $$.nodes.a.id]', ['a']],
    ['nodes.a[x = 1]{ y: z }', ['a']],
  ])('in %s are %j', (source, expected) => {
    expect(references(source)).toEqual(expected);
  });

  test.each([
    'trigger.nodes.a',
    'trigger.(nodes.a)',
    'trigger.rows[nodes.a]',
    '"nodes.a"',
    'trigger.rows^(nodes.a)',
    'nodes.*',
  ])('are not seen in %s, where the name means something else or can not be known', (source) => {
    expect(references(source)).toEqual([]);
  });

  test('have a position', () => {
    expect(compileExpression({ source: '1 + nodes.abc.x', start: 0, pointer: '' }).references).toEqual([
      { nodeId: 'abc', position: 13 },
    ]);
  });
});
