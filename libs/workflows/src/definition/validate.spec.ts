import { z } from 'zod';
import { builtinKinds } from '../nodes/builtin-kinds';
import type { NodeKind } from '../nodes/node-kind';
import { NodeKindRegistry } from '../nodes/registry';
import { compileGraph } from './graph';
import { parseDraft, validateDefinition } from './validate';

/** A kind with params of every sort, as one with effects has them. */
const callNode: NodeKind = {
  type: 'test.call',
  title: 'Call',
  description: 'Stands for a kind with rich params.',
  role: 'action',
  purity: 'effect',
  params: z.strictObject({
    url: z.url(),
    times: z.int().max(5).default(1),
    headers: z.record(z.string(), z.string()).default({}),
    body: z.union([z.strictObject({ json: z.number() }), z.strictObject({ text: z.string() })]).optional(),
  }),
  ports: () => ['out'],
  execute: () => ({ kind: 'done', output: null }),
};
/** A kind with a param that is taken as it is written, and an eye for what is wrong in it. */
const programNode: NodeKind = {
  type: 'test.program',
  title: 'Program',
  description: 'Stands for a kind whose params hold a program.',
  role: 'action',
  purity: 'compute',
  params: z.strictObject({ program: z.string().max(30), input: z.number().optional() }),
  literal: ['program'],
  ports: () => ['out'],
  check: ({ program }) =>
    program === 'broken'
      ? [{ code: 'code_syntax', pointer: '/program', message: 'It is broken.', line: 1, column: 2 }]
      : [],
  execute: () => ({ kind: 'done', output: null }),
};
const kinds = new NodeKindRegistry([...builtinKinds(), callNode, programNode]);

const hook = { id: 'hook', type: 'trigger.webhook' };
const set = (id: string, values: unknown = {}): object => ({ id, type: 'set', params: { values } });

/** Code and pointer of each problem. */
function problems(raw: unknown): readonly string[] {
  const result = validateDefinition(raw, kinds);
  return result.ok ? [] : result.problems.map(({ code, pointer }) => `${code} ${pointer}`);
}

function messages(raw: unknown): string {
  const result = validateDefinition(raw, kinds);
  return result.ok ? '' : result.problems.map(({ message }) => message).join('\n');
}

describe('A definition that may be published', () => {
  const raw = {
    nodes: [
      { ...hook, name: 'GitHub push', position: { x: 0, y: 0 } },
      {
        id: 'check',
        type: 'condition',
        params: { if: "{{ trigger.body.ref = 'refs/heads/main' }}" },
        join: 'all',
      },
      { id: 'wait', type: 'delay', params: { seconds: '{{ nodes.check ? 1 : 2 }}' } },
      {
        id: 'call',
        type: 'test.call',
        params: { url: 'https://example.com/{{ run.id }}', times: '{{ 2 }}' },
      },
      { id: 'rescue', type: 'fail', params: { message: 'Lost {{ nodes.hook.id ?? "" }}' }, join: 'any' },
    ],
    edges: [
      { from: 'hook', to: 'check' },
      { from: 'check', port: 'true', to: 'wait' },
      { from: 'wait', to: 'call' },
      { from: 'check', port: 'error', to: 'rescue' },
      { from: 'call', port: 'error', to: 'rescue' },
    ],
  };

  test('has no problems, and its defaults are filled in', () => {
    const result = validateDefinition(raw, kinds);
    expect(result).toMatchObject({ ok: true });
    if (!result.ok) return;
    expect(result.definition.nodes[0]).toEqual({ ...raw.nodes[0], params: {}, join: 'all' });
    expect(result.definition.edges[0]).toEqual({ from: 'hook', port: 'out', to: 'check' });
    expect(validateDefinition(result.definition, kinds)).toEqual(result);
  });

  test('compiles to a graph', () => {
    const result = validateDefinition(raw, kinds);
    if (!result.ok) throw new Error('It was expected to be valid.');
    const graph = compileGraph(result.definition, kinds);
    expect(graph.order.map((index) => graph.nodes[index]?.id)).toEqual([
      'hook',
      'check',
      'wait',
      'call',
      'rescue',
    ]);
    expect(graph.triggers).toEqual([0]);
    expect(graph.nodes[graph.indexOf('rescue')]).toMatchObject({
      rank: 4,
      join: 'any',
      ancestors: [0, 1, 2, 3],
    });
    expect(() => graph.indexOf('nobody')).toThrow('nobody');
  });
});

describe('A draft', () => {
  test('needs the shape and nothing else', () => {
    const raw = {
      nodes: [{ id: 'a', type: 'no.such', params: { x: '{{ 1 + }}' } }],
      edges: [{ from: 'x', to: 'y' }],
    };
    expect(parseDraft(raw).ok).toBe(true);
  });

  test('keeps params as they are, __proto__ and all', () => {
    const raw: unknown = JSON.parse(
      '{"nodes":[{"id":"a","type":"set","params":{"__proto__":{"x":1}}}],"edges":[]}',
    );
    const result = parseDraft(raw);
    expect(JSON.stringify(result)).toContain('"params":{"__proto__":{"x":1}}');
  });

  test.each<[unknown, string[]]>([
    [null, ['invalid_shape ']],
    [[], ['invalid_shape ']],
    [{}, ['invalid_shape /nodes', 'invalid_shape /edges']],
    [{ nodes: {}, edges: [], extra: 1 }, ['invalid_shape /nodes', 'invalid_shape /extra']],
    [{ nodes: [{ id: 'A', type: 'set' }], edges: [] }, ['invalid_shape /nodes/0/id']],
    [{ nodes: [{ id: '__proto__', type: 'set' }], edges: [] }, ['invalid_shape /nodes/0/id']],
    [{ nodes: [{ id: 'a', type: 'set', params: [] }], edges: [] }, ['invalid_shape /nodes/0/params']],
    [
      { nodes: [{ id: 'a', type: 'set', join: 'one', 'x/y': 1 }], edges: [] },
      ['invalid_shape /nodes/0/join', 'invalid_shape /nodes/0/x~1y'],
    ],
    [
      { nodes: [{ id: 'a', type: 'set', name: 'x'.repeat(121) }], edges: [] },
      ['invalid_shape /nodes/0/name'],
    ],
    [
      { nodes: [], edges: [{ from: 1, to: 'a', port: 'A' }] },
      ['invalid_shape /edges/0/from', 'invalid_shape /edges/0/port'],
    ],
  ])('of the wrong shape: %j', (raw, expected) => {
    expect(problems(raw)).toEqual(expected);
  });
});

describe('Problems of nodes', () => {
  test('duplicate ids', () => {
    expect(problems({ nodes: [hook, set('a'), set('a')], edges: [{ from: 'hook', to: 'a' }] })).toEqual([
      'duplicate_node_id /nodes/2/id',
    ]);
  });

  test('unknown types, with the nearest known one', () => {
    const raw = { nodes: [hook, { id: 'a', type: 'test.cal' }], edges: [{ from: 'hook', to: 'a' }] };
    expect(problems(raw)).toEqual(['unknown_node_type /nodes/1/type']);
    expect(messages(raw)).toContain('Did you mean test.call?');
  });

  test('bad params, all of them, each where it is', () => {
    const call = {
      id: 'a',
      type: 'test.call',
      params: { url: 'nowhere', times: 9, headers: { a: 1 }, more: 0 },
    };
    expect(problems({ nodes: [hook, call], edges: [{ from: 'hook', to: 'a' }] })).toEqual([
      'invalid_params /nodes/1/params/url',
      'invalid_params /nodes/1/params/times',
      'invalid_params /nodes/1/params/headers/a',
      'invalid_params /nodes/1/params/more',
    ]);
  });

  test.each<[string, object, string[]]>([
    [
      'a whole expression may become anything',
      { url: '{{ 1 }}', times: '{{ "x" }}', headers: '{{ {} }}' },
      [],
    ],
    ['also inside a choice of shapes', { url: 'https://a.b', body: { json: '{{ 1 }}' } }, []],
    ['text with expressions may become any text', { url: '{{ run.id }}/x' }, []],
    [
      'but it is never a number',
      { url: 'https://a.b', times: '{{ 1 }}{{ 2 }}' },
      ['invalid_params /nodes/1/params/times'],
    ],
    [
      'escaped braces are plain text',
      { url: 'https://a.b', times: '\\{{ 1 }}' },
      ['invalid_params /nodes/1/params/times'],
    ],
    ['a missing param is missing', {}, ['invalid_params /nodes/1/params/url']],
  ])('templates: %s', (_name, params, expected) => {
    const raw = { nodes: [hook, { id: 'a', type: 'test.call', params }], edges: [{ from: 'hook', to: 'a' }] };
    expect(problems(raw)).toEqual(expected);
  });

  test('bad expressions, with the position', () => {
    const raw = {
      nodes: [hook, set('a', { x: ['{{ 1 + }}'], y: 'z {{ $nope() }}' })],
      edges: [{ from: 'hook', to: 'a' }],
    };
    expect(problems(raw)).toEqual([
      'expression_syntax /nodes/1/params/values/x/0',
      'expression_syntax /nodes/1/params/values/y',
    ]);
    expect(messages(raw)).toContain('(at character 7)');
  });

  test('references to nodes that do not exist or do not run before', () => {
    const values = {
      a: '{{ nodes.ghost }}',
      b: '{{ nodes.side.x }}',
      c: '{{ nodes.hook.x }}',
      d: '{{ nodes.a }}',
    };
    const edges = [
      { from: 'hook', to: 'a' },
      { from: 'hook', to: 'side' },
    ];
    expect(problems({ nodes: [hook, set('a', values), set('side')], edges })).toEqual([
      'unknown_node_reference /nodes/1/params/values/a',
      'reference_not_upstream /nodes/1/params/values/b',
      'reference_not_upstream /nodes/1/params/values/d',
    ]);
  });
});

describe('A param that is taken literally', () => {
  const withProgram = (params: object) => ({
    nodes: [hook, { id: 'program', type: 'test.program', params }],
    edges: [{ from: 'hook', to: 'program' }],
  });

  test.each(['{{a: 1}}', '{{ nodes.nobody }}', '{{', '`${`{{ $nofunction() }}`}`'])(
    'has no expressions in it: %s',
    (program) => {
      const raw = withProgram({ program });
      expect(problems(raw)).toEqual([]);
      const result = validateDefinition(raw, kinds);
      if (!result.ok) return;
      // What is written is what the kind is given.
      const [, node] = compileGraph(result.definition, kinds).nodes;
      expect(node?.templates).toEqual({ expressions: [], root: { kind: 'constant', value: { program } } });
    },
  );

  test('is held to its schema though it looks like an expression; the params beside it are not', () => {
    const program = `{{ ${'x'.repeat(30)} }}`;
    expect(problems(withProgram({ program, input: '{{ trigger.n }}' }))).toEqual([
      'invalid_params /nodes/1/params/program',
    ]);
    expect(problems(withProgram({ program: '1', input: '{{ nodes.nobody.n }}' }))).toEqual([
      'unknown_node_reference /nodes/1/params/input',
    ]);
  });

  test('is looked at by its kind, which says where it is wrong', () => {
    expect(validateDefinition(withProgram({ program: 'broken' }), kinds)).toEqual({
      ok: false,
      problems: [
        {
          code: 'code_syntax',
          pointer: '/nodes/1/params/program',
          message: 'It is broken.',
          line: 1,
          column: 2,
        },
      ],
    });
  });
});

describe('Problems of edges and of the graph', () => {
  test('edges that lead nowhere, from ports that do not exist, into triggers, twice, and to themselves', () => {
    const edges = [
      { from: 'hook', to: 'a' },
      { from: 'ghost', to: 'nobody' },
      { from: 'a', port: 'true', to: 'b' },
      { from: 'hook', to: 'a', port: 'out' },
      { from: 'a', to: 'a' },
      { from: 'b', to: 'hook' },
      { from: 'a', port: 'error', to: 'b' },
    ];
    expect(problems({ nodes: [hook, set('a'), set('b')], edges })).toEqual([
      'dangling_edge /edges/1/from',
      'dangling_edge /edges/1/to',
      'unknown_port /edges/2/port',
      'duplicate_edge /edges/3',
      'self_loop /edges/4',
      'edge_into_trigger /edges/5/to',
      'cycle /edges/5',
    ]);
  });

  test('the ports of a switch are those of its cases', () => {
    const cases = [{ port: 'big', equals: 1 }];
    const edges = [
      { from: 'hook', to: 's' },
      ...['big', 'default', 'error', 'small'].map((port) => ({ from: 's', port, to: 'a' })),
    ];
    const nodes = [hook, { id: 's', type: 'switch', params: { value: '{{ 1 }}', cases } }, set('a')];
    expect(problems({ nodes, edges })).toEqual(['unknown_port /edges/4/port']);
  });

  test('each cycle, by the names of its nodes', () => {
    const edges = ['hook>a', 'a>b', 'b>c', 'c>a', 'c>d', 'd>e', 'e>d', 'e>f'].map((edge) => {
      const [from, to] = edge.split('>');
      return { from, to };
    });
    const raw = { nodes: [hook, ...'abcdef'.split('').map((id) => set(id))], edges };
    expect(problems(raw)).toEqual(['cycle /edges/3', 'cycle /edges/6']);
    expect(messages(raw)).toContain('a → b → c → a');
    expect(messages(raw)).toContain('d → e → d');
  });

  test('nodes that no trigger leads to', () => {
    const edges = [
      { from: 'hook', to: 'a' },
      { from: 'b', to: 'c' },
    ];
    expect(problems({ nodes: [hook, set('a'), set('b'), set('c')], edges })).toEqual([
      'unreachable_node /nodes/2',
      'unreachable_node /nodes/3',
    ]);
  });

  test('no trigger at all', () => {
    expect(problems({ nodes: [set('a')], edges: [] })).toEqual(['no_trigger /nodes']);
    expect(problems({ nodes: [], edges: [] })).toEqual(['no_trigger /nodes']);
  });
});

describe('A hostile document', () => {
  const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);

  test.each<[string, unknown, string[]]>([
    ['that is not JSON', { nodes: [], edges: [], f: () => 1 }, ['not_json /f']],
    ['with numbers that are not JSON', { nodes: [NaN], edges: [] }, ['not_json /nodes/0']],
    [
      'with text that can not be stored',
      { nodes: [hook, set('a', { x: 'a\0b', '\ud800': 1 })], edges: [] },
      ['invalid_text /nodes/1/params/values/x', 'invalid_text /nodes/1/params/values'],
    ],
    [
      'with a pair of surrogates',
      { nodes: [hook, set('a', { x: '😀' })], edges: [{ from: 'hook', to: 'a' }] },
      [],
    ],
    [
      'nested a little too deep',
      { nodes: nested(64), edges: [] },
      [`document_too_deep /nodes${'/0'.repeat(63)}`],
    ],
    [
      'nested very deep',
      { nodes: nested(100_000), edges: [] },
      [`document_too_deep /nodes${'/0'.repeat(63)}`],
    ],
    ['with too much text', { nodes: [set('a', 'x'.repeat(1_100_000))], edges: [] }, ['document_too_large ']],
    [
      'with very many nodes',
      { nodes: Array.from({ length: 100_000 }, () => ({ id: 'a', type: 'x' })), edges: [] },
      ['document_too_large '],
    ],
    [
      'with too many nodes',
      { nodes: Array.from({ length: 501 }, () => 0), edges: [] },
      ['too_many_nodes /nodes'],
    ],
    [
      'with too many edges',
      { nodes: [], edges: Array.from({ length: 2_001 }, () => 0) },
      ['too_many_edges /edges'],
    ],
    [
      'with a member __proto__',
      JSON.parse('{"nodes":[],"edges":[],"__proto__":1}'),
      ['invalid_shape /__proto__'],
    ],
  ])('%s', (_name, raw, expected) => {
    expect(problems(raw)).toEqual(expected);
  });

  test('that contains itself', () => {
    const raw: { nodes: unknown[]; edges: unknown[] } = { nodes: [], edges: [] };
    raw.nodes.push(raw);
    expect(problems(raw)).toEqual([expect.stringMatching(/^document_too_deep /)]);
  });

  test('with thousands of mistakes is answered with a list of bounded length', () => {
    const extra = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, 0]));
    const found = problems({ nodes: [], edges: [], ...extra });
    expect(found).toHaveLength(501);
    expect(found.at(-1)).toBe('more_problems ');
  });

  test('as large as is allowed is answered within a second, or twenty on a busy machine', () => {
    const ids = Array.from({ length: 499 }, (_, i) => `n${i}`);
    const nodes = [hook, ...ids.map((id) => set(id, { x: '{{ nodes.hook.body ?? nodes.n0.x }}' }))];
    const edges = ids.flatMap((to, i) =>
      [0, 1, 2, 3].map((back) => ({
        from: ids[i - back - 1] ?? 'hook',
        port: back === 0 ? 'out' : 'error',
        to,
      })),
    );
    expect(problems({ nodes, edges: edges.slice(0, 2_000) }).length).toBeGreaterThan(0);
  }, 20_000);
});
