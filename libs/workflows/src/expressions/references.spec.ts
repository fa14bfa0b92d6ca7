import { compileExpression } from './compile';
import type { ScopeReference } from './references';

function references(source: string): readonly ScopeReference[] {
  return compileExpression({ source, start: 0, pointer: '' }).references;
}

function nodesIn(source: string): readonly string[] {
  return references(source).flatMap(({ name, member }) =>
    name === 'nodes' && member !== undefined ? [member] : [],
  );
}

/** As `name`, or `name.member`. */
function namesIn(source: string): readonly string[] {
  return references(source).map(({ name, member }) => (member === undefined ? name : `${name}.${member}`));
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
    expect(nodesIn(source)).toEqual(expected);
  });

  test.each([
    'trigger.nodes.a',
    'trigger.(nodes.a)',
    'trigger.rows[nodes.a]',
    '"nodes.a"',
    'trigger.rows^(nodes.a)',
    'nodes.*',
  ])('are not seen in %s, where the name means something else or can not be known', (source) => {
    expect(nodesIn(source)).toEqual([]);
  });

  test('have a position', () => {
    expect(references('1 + nodes.abc.x')).toEqual([{ name: 'nodes', member: 'abc', position: 13 }]);
  });
});

describe('Names of the scope', () => {
  test.each<[string, string[]]>([
    ['item', ['item']],
    ['item[0]', ['item']],
    ['index + 1', ['index']],
    ['loops.rows.item & loops.rows.index', ['loops.rows']],
    ['$lookup(loops, "rows").index', ['loops.rows', 'loops']],
    ['$map(trigger.rows, function($r) { $r.id & item })', ['trigger.rows', 'item']],
    ['$$.item ~> $string()', ['item']],
    ['trigger.rows[index = $$.index]', ['trigger.rows', 'index']],
    ['run.id & error.code', ['run.id', 'error.code']],
    ['($item := trigger; $item.item)', ['trigger']],
    ['trigger.rows.(item)', ['trigger.rows']],
    ['{"item": 1, "index": "loops"}', []],
    ['$.*', []],
  ])('in %s are %j', (source, expected) => {
    expect(namesIn(source)).toEqual(expected);
  });
});
