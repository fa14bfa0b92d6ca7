import { builtinKinds } from '../nodes/builtin-kinds';
import { NodeKindRegistry } from '../nodes/registry';
import { compileGraph } from './graph';
import { validateDefinition } from './validate';

const kinds = new NodeKindRegistry(builtinKinds());

const hook = { id: 'hook', type: 'trigger.webhook' };
const set = (id: string, more: object = {}): object => ({ id, type: 'set', params: { values: {} }, ...more });
const setTo = (id: string, value: string, more: object = {}): object => ({
  id,
  type: 'set',
  params: { values: { x: value } },
  ...more,
});
const each = (id: string, more: object = {}): object => ({
  id,
  type: 'for_each',
  params: { items: '{{ trigger.body }}' },
  ...more,
});

/** Edges written `from>to` or `from:port>to`. */
function edges(...written: readonly string[]): readonly object[] {
  return written.map((edge) => {
    const [, from, port = 'out', to] = /^(\w+)(?::(\w+))?>(\w+)$/.exec(edge) ?? [];
    return { from, port, to };
  });
}

/** Code and pointer of each problem. */
function problems(raw: unknown): readonly string[] {
  const result = validateDefinition(raw, kinds);
  return result.ok ? [] : result.problems.map(({ code, pointer }) => `${code} ${pointer}`);
}

function messages(raw: unknown): string {
  const result = validateDefinition(raw, kinds);
  return result.ok ? '' : result.problems.map(({ message }) => message).join('\n');
}

/** `hook` leads to everything at the top, unless an edge says otherwise. */
function workflow(nodes: readonly object[], ...written: readonly string[]): object {
  return { nodes: [hook, ...nodes], edges: edges(...written) };
}

describe('Loops and their bodies', () => {
  test('may be nested, and a body may have several entries', () => {
    const raw = workflow(
      [
        each('rows'),
        set('first', { parent: 'rows' }),
        each('cells', { parent: 'rows', params: { items: '{{ item }}', collect: 'cell' } }),
        set('cell', { parent: 'cells' }),
        set('beside', { parent: 'cells' }),
        set('after'),
      ],
      'hook>rows',
      'first>cells',
      'rows>after',
    );
    const result = validateDefinition(raw, kinds);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const graph = compileGraph(result.definition, kinds);
    expect(graph.nodes.map(({ id }) => id)).toEqual(['hook', 'rows', 'after']);
    const rows = graph.nodes[graph.indexOf('rows')]?.body;
    expect(rows?.entries.map((index) => rows.nodes[index]?.id)).toEqual(['first']);
    const cells = rows?.nodes[rows.indexOf('cells')]?.body;
    expect(cells?.entries.map((index) => cells.nodes[index]?.id)).toEqual(['cell', 'beside']);
  });

  test.each<[string, object, string[]]>([
    [
      'a parent that does not exist, or is no loop',
      workflow(
        [set('a', { parent: 'ghost' }), set('b', { parent: 'a' }), set('c', { parent: 'hook' })],
        'hook>a',
        'hook>b',
        'hook>c',
      ),
      [
        'unknown_parent /nodes/1/parent',
        'unknown_parent /nodes/2/parent',
        'unknown_parent /nodes/3/parent',
        'edge_across_bodies /edges/0',
        'edge_across_bodies /edges/1',
        'edge_across_bodies /edges/2',
      ],
    ],
    [
      'loops inside of each other, and inside of themselves',
      workflow([each('a', { parent: 'b' }), each('b', { parent: 'a' }), each('c', { parent: 'c' })]),
      [
        'parent_cycle /nodes/1/parent',
        'parent_cycle /nodes/2/parent',
        'parent_cycle /nodes/3/parent',
        'unreachable_node /nodes/1',
        'unreachable_node /nodes/2',
        'unreachable_node /nodes/3',
      ],
    ],
    ['a loop without a body', workflow([each('a')], 'hook>a'), ['empty_body /nodes/1']],
    [
      'a trigger in a body',
      workflow([each('a'), { id: 'b', type: 'trigger.manual', parent: 'a' }], 'hook>a'),
      ['trigger_in_body /nodes/2/parent'],
    ],
    [
      'a result of a node that is not in the body itself',
      workflow(
        [
          each('a', { params: { items: [], collect: 'after' } }),
          each('b', { parent: 'a', params: { items: [], collect: 'ghost' } }),
          set('c', { parent: 'b' }),
          each('d', { params: { items: [], collect: '{{ trigger.id }}' } }),
          set('e', { parent: 'd' }),
          set('after'),
        ],
        'hook>a',
        'hook>d',
        'a>after',
      ),
      [
        'unknown_collect /nodes/1/params/collect',
        'unknown_collect /nodes/2/params/collect',
        'unknown_collect /nodes/4/params/collect',
      ],
    ],
    [
      'edges into a body, out of one, from one into another, and from a body to its own loop',
      workflow(
        [
          each('a'),
          set('in_a', { parent: 'a' }),
          each('b'),
          set('in_b', { parent: 'b' }),
          set('entry', { parent: 'b' }),
          set('after'),
        ],
        'hook>a',
        'a>b',
        'b>after',
        'hook>in_a',
        'in_a>after',
        'in_a>in_b',
        'entry>b',
      ),
      ['3', '4', '5', '6'].map((edge) => `edge_across_bodies /edges/${edge}`),
    ],
    [
      'a cycle in a body',
      workflow(
        [each('a'), set('b', { parent: 'a' }), set('c', { parent: 'a' }), set('d', { parent: 'a' })],
        'hook>a',
        'b>c',
        'c>b',
      ),
      ['cycle /edges/2', 'unreachable_node /nodes/2', 'unreachable_node /nodes/3'],
    ],
    [
      'the port of a body: a loop has but `out`, and `error` as every node',
      workflow([each('a'), set('b', { parent: 'a' }), set('c')], 'hook>a', 'a:item>c', 'a:error>c', 'a>c'),
      ['unknown_port /edges/1/port'],
    ],
  ])('%s', (_name, raw, expected) => {
    expect(problems(raw)).toEqual(expected);
  });

  test('are nested five deep at most', () => {
    const nested = (depth: number): object => {
      const loops = Array.from({ length: depth }, (_, i) =>
        each(`l${i}`, i === 0 ? {} : { parent: `l${i - 1}` }),
      );
      return workflow([...loops, set('leaf', { parent: `l${depth - 1}` })], 'hook>l0');
    };
    expect(problems(nested(5))).toEqual([]);
    expect(problems(nested(6))).toEqual(['nested_too_deep /nodes/7/parent']);
    expect(messages(nested(6))).toContain('more than 5 deep');
  });
});

describe('References across the borders of bodies', () => {
  const nodes = (expressions: Readonly<Record<string, string>>): object => {
    const value = (id: string): string => expressions[id] ?? 'nothing';
    return workflow(
      [
        setTo('before', value('before')),
        setTo('aside', value('aside')),
        each('rows', { params: { items: expressions['rows'] ?? [] } }),
        setTo('first', value('first'), { parent: 'rows' }),
        each('cells', { parent: 'rows', params: { items: expressions['cells'] ?? [] } }),
        setTo('cell', value('cell'), { parent: 'cells' }),
        setTo('next', value('next'), { parent: 'cells' }),
        setTo('last', value('last'), { parent: 'rows' }),
        setTo('after', value('after')),
      ],
      'hook>before',
      'hook>aside',
      'before>rows',
      'first>cells',
      'cell>next',
      'cells>last',
      'rows>after',
    );
  };

  test.each<[string, Readonly<Record<string, string>>]>([
    ['from a body to what comes before its loop', { first: '{{ nodes.before.x & nodes.hook.x }}' }],
    [
      'from an inner body to what comes before any of its loops',
      { cell: '{{ nodes.before.x & nodes.first.x }}' },
    ],
    ['from node to node in a body', { next: '{{ nodes.cell.x }}' }],
    ['to a loop from behind it', { after: '{{ nodes.rows.results }}', last: '{{ nodes.cells.results }}' }],
    ['from the items of an inner loop to the outer item', { cells: '{{ item[index] }}' }],
  ])('are allowed %s', (_name, expressions) => {
    expect(problems(nodes(expressions))).toEqual([]);
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['from outside into a body', { after: '{{ nodes.first.x }}' }, '/nodes/9/params/values/x'],
    ['from an outer body into an inner one', { last: '{{ nodes.cell.x }}' }, '/nodes/8/params/values/x'],
    ['from a body to its own loop', { first: '{{ nodes.rows.results }}' }, '/nodes/4/params/values/x'],
    ['from an inner body to the outer loop', { cell: '{{ nodes.rows }}' }, '/nodes/6/params/values/x'],
    ['from a body to what comes behind its loop', { cell: '{{ nodes.last.x }}' }, '/nodes/6/params/values/x'],
    ['from a body to what is beside its loop', { first: '{{ nodes.aside.x }}' }, '/nodes/4/params/values/x'],
    ['from the items of a loop into its body', { rows: '{{ nodes.first.x }}' }, '/nodes/3/params/items'],
  ])('are a problem %s', (_name, expressions, pointer) => {
    expect(problems(nodes(expressions))).toEqual([`reference_not_upstream ${pointer}`]);
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['`item` outside of loops', { before: '{{ item.id }}' }, '/nodes/1/params/values/x'],
    ['`index` in text', { after: 'no. {{ index + 1 }}' }, '/nodes/9/params/values/x'],
    ['a loop by its name', { after: '{{ loops.rows.index }}' }, '/nodes/9/params/values/x'],
    [
      'the items of a loop, which are chosen before it begins',
      { rows: '{{ item }}' },
      '/nodes/3/params/items',
    ],
    ['several at once, which is one problem', { before: '{{ item & index }}' }, '/nodes/1/params/values/x'],
    ['a loop that is not around', { first: '{{ loops.cells.item }}' }, '/nodes/4/params/values/x'],
    ['a loop that does not exist', { cell: '{{ loops.columns.item }}' }, '/nodes/6/params/values/x'],
  ])('items of loops are a problem where there are none: %s', (_name, expressions, pointer) => {
    expect(problems(nodes(expressions))).toEqual([`loop_reference_outside ${pointer}`]);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['in a body', { first: '{{ item & index & loops.rows.index }}' }],
    ['of all loops around', { cell: '{{ loops.rows.item & loops.cells.index & $string(loops) }}' }],
    ['of the outer loop, for the items of the inner one', { cells: '{{ loops.rows.item }}' }],
    ['as members of something else', { before: '{{ trigger.item & trigger.rows[index = 1].loops.x }}' }],
  ])('items of loops are known %s', (_name, expressions) => {
    expect(problems(nodes(expressions))).toEqual([]);
  });

  test('say what to do', () => {
    expect(messages(nodes({ before: '{{ item }}' }))).toBe(
      'The expression {{ item }} uses `item`, which is there only in the body of a loop, and this node is in none.',
    );
    expect(messages(nodes({ cell: '{{ loops.columns.item }}' }))).toContain('Around it: cells, rows.');
  });
});

describe('Policies', () => {
  const withNode = (node: object, ...written: readonly string[]): object =>
    workflow([{ id: 'a', type: 'set', params: { values: {} }, ...node }, set('b')], 'hook>a', ...written);

  /** A node with an effect. */
  const calling = {
    type: 'run.workflow',
    params: { workflowId: '01a1ff50-2861-7000-a8f1-4340fed3c962' },
  };

  test('have defaults, which are written out', () => {
    const result = validateDefinition(
      withNode({ ...calling, retry: { attempts: 3 }, timeoutSeconds: 0.5 }, 'a>b'),
      kinds,
    );
    expect(result).toMatchObject({
      ok: true,
      definition: {
        nodes: [
          {},
          {
            timeoutSeconds: 0.5,
            retry: {
              attempts: 3,
              backoff: 'exponential',
              delaySeconds: 1,
              maxDelaySeconds: 300,
              jitter: true,
            },
          },
          {},
        ],
      },
    });
  });

  test.each<[string, object, string[]]>([
    ['too few attempts, or too many', withNode({ retry: { attempts: 1 } }, 'a>b'), ['retry/attempts']],
    ['no time at all', withNode({ timeoutSeconds: 0 }, 'a>b'), ['timeoutSeconds']],
    ['an unknown treatment', withNode({ onError: 'ignore' }, 'a>b'), ['onError']],
    ['an unknown member', withNode({ retry: { attempts: 2, times: 3 } }, 'a>b'), ['retry/times']],
  ])('of the wrong shape: %s', (_name, raw, expected) => {
    expect(problems(raw)).toEqual(expected.map((pointer) => `invalid_shape /nodes/1/${pointer}`));
  });

  test.each<[string, object, string[]]>([
    ['an error port without an edge', withNode({ onError: 'port' }, 'a>b'), ['/nodes/1/onError']],
    [
      'an error edge that is never taken',
      withNode({ onError: 'continue' }, 'a:error>b'),
      ['/nodes/1/onError'],
    ],
    [
      'the same for a node that fails the run',
      withNode({ onError: 'fail' }, 'a:error>b'),
      ['/nodes/1/onError'],
    ],
    [
      'going on by a port that a node does not have',
      withNode({ type: 'condition', params: { if: true }, onError: 'continue' }, 'a:true>b'),
      ['/nodes/1/onError'],
    ],
    [
      'policies of a trigger',
      {
        nodes: [{ ...hook, timeoutSeconds: 1, retry: { attempts: 2 }, onError: 'fail', repeat: 'safe' }],
        edges: [],
      },
      ['timeoutSeconds', 'retry', 'onError', 'repeat'].map((policy) => `/nodes/0/${policy}`),
    ],
    [
      'policies that a loop as a whole does not have',
      workflow(
        [
          each('a', { timeoutSeconds: 1, retry: { attempts: 2 }, onError: 'continue' }),
          set('b', { parent: 'a' }),
        ],
        'hook>a',
      ),
      ['/nodes/1/timeoutSeconds', '/nodes/1/retry'],
    ],
    [
      'policies of effects on a node that only computes',
      withNode({ timeoutSeconds: 1, repeat: 'unsafe', retry: { attempts: 2 } }, 'a>b'),
      ['/nodes/1/timeoutSeconds', '/nodes/1/repeat'],
    ],
  ])('that do not go together: %s', (_name, raw, expected) => {
    expect(problems(raw)).toEqual(expected.map((pointer) => `policy_conflict ${pointer}`));
  });

  test.each<[string, object]>([
    ['an error port with an edge', withNode({ onError: 'port' }, 'a:error>b')],
    ['an error edge alone', withNode({}, 'a:error>b')],
    ['going on by out', withNode({ onError: 'continue' }, 'a>b')],
    ['failing the run', withNode({ ...calling, onError: 'fail', repeat: 'unsafe' }, 'a>b')],
  ])('that do: %s', (_name, raw) => {
    expect(problems(raw)).toEqual([]);
  });

  const retryIf = (condition: string): object =>
    withNode({ retry: { attempts: 2, retryIf: condition } }, 'a>b');

  test.each<[string, string, string[]]>([
    ['one expression', "{{ error.code = 'node.timeout' and nodes.hook.ok }}", []],
    ['an expression that can not be read', '{{ error. }}', ['expression_syntax']],
    ['text, which is never true', "error.code = 'node.timeout'", ['expression_syntax']],
    ['text with an expression in it', 'is {{ true }}', ['expression_syntax']],
    ['a node that does not exist', '{{ nodes.ghost.ok }}', ['unknown_node_reference']],
    ['a node that does not run before', '{{ nodes.b.ok }}', ['reference_not_upstream']],
    ['an item where there is none', '{{ item.ok }}', ['loop_reference_outside']],
  ])('the condition of a retry is %s', (_name, condition, codes) => {
    expect(problems(retryIf(condition))).toEqual(codes.map((code) => `${code} /nodes/1/retry/retryIf`));
  });
});

describe('Settings', () => {
  const withSettings = (settings: object): object => ({ nodes: [hook], edges: [], settings });

  test('may use the trigger', () => {
    const settings = {
      deadlineSeconds: 60,
      concurrency: { limit: 1, key: '{{ trigger.body.customer }}' },
      labels: { customer: '{{ trigger.body.customer }}', plain: 'text' },
    };
    expect(problems(withSettings(settings))).toEqual([]);
  });

  test.each<[string, object, string[]]>([
    [
      'of the wrong shape',
      { priority: 'urgent', deadlineSeconds: 0 },
      ['invalid_shape /settings/deadlineSeconds', 'invalid_shape /settings/priority'],
    ],
    ['with a label that has a bad name', { labels: { 'A/b': 'x' } }, ['invalid_shape /settings/labels/A~1b']],
    [
      'with too many labels',
      { labels: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`l${i}`, ''])) },
      ['invalid_shape /settings/labels'],
    ],
    [
      'with expressions that can not be read',
      { concurrency: { limit: 1, key: '{{ 1 + }}' }, labels: { a: 'x {{ $nope() }}' } },
      ['expression_syntax /settings/concurrency/key', 'expression_syntax /settings/labels/a'],
    ],
    [
      'with what is not there when a run is accepted',
      { concurrency: { limit: 1, key: '{{ nodes.hook.body.id }}' }, labels: { a: 'x {{ item }}' } },
      ['reference_not_upstream /settings/concurrency/key', 'loop_reference_outside /settings/labels/a'],
    ],
  ])('%s', (_name, settings, expected) => {
    expect(problems(withSettings(settings)).toSorted()).toEqual(expected.toSorted());
  });
});
