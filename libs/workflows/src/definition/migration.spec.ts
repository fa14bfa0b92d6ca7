import fc from 'fast-check';
import { builtinKinds } from '../nodes/builtin-kinds';
import { NodeKindRegistry } from '../nodes/registry';
import { compileGraph } from './graph';
import { obstacleToMigration, type RecordedNodeRun } from './migration';
import { definitionSchema, type WorkflowDefinition } from './schema';
import { type NodeResult, replay, settle, startWalk } from './walk';

const kinds = new NodeKindRegistry(builtinKinds());

/** `start` is the trigger, `any*` join on any edge. Edges are written `from>to` or `from:port>to`. */
function definitionOf(
  edges: string,
  members: Readonly<Record<string, object>> = {},
  settings?: object,
): WorkflowDefinition {
  const parsed = edges
    .split(' ')
    .filter((edge) => edge !== '')
    .map((edge) => {
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
  return definitionSchema.parse({ nodes, edges: parsed, ...(settings && { settings }) });
}

function recorded(statuses: Readonly<Record<string, RecordedNodeRun['status']>>): readonly RecordedNodeRun[] {
  return Object.entries(statuses).map(([nodeId, status]) => ({ nodeId, status }));
}

describe('a run that waits may go on with another version', () => {
  const before = definitionOf('start>a a>wait wait>b start:x>c');
  const rows = recorded({ start: 'succeeded', a: 'succeeded', wait: 'waiting', c: 'skipped' });
  const obstacle = (after: WorkflowDefinition) => obstacleToMigration(before, after, rows);

  it.each([
    [
      'what comes later is another',
      'start>a a>wait wait>b start:x>c',
      { b: { params: { values: { n: 1 } } } },
    ],
    ['a node is put in behind what waits', 'start>a a>wait wait>new new>b start:x>c', {}],
    ['what comes later is left out', 'start>a a>wait start:x>c', {}],
    [
      'nodes are named and moved',
      'start>a a>wait wait>b start:x>c',
      { a: { name: 'A', position: { x: 1, y: 2 } } },
    ],
    ['edges are written in another order', 'start:x>c wait>b a>wait start>a', {}],
    ['another trigger is there', 'start>a a>wait wait>b start:x>c', { other: { type: 'trigger.webhook' } }],
  ])('when %s', (_what, edges, members) => {
    expect(obstacle(definitionOf(edges, members))).toBeNull();
  });

  it.each([
    ['the trigger is gone', 'b>a a>wait wait>c', {}, 'node_removed'],
    ['a node that ran is gone', 'start>wait wait>b start:x>c', {}, 'way_out_changed'],
    [
      'a node that waits is another',
      'start>a a>wait wait>b start:x>c',
      { wait: { type: 'delay' } },
      'node_changed',
    ],
    [
      'a node that ran has other params',
      'start>a a>wait wait>b start:x>c',
      { a: { params: { n: 1 } } },
      'node_changed',
    ],
    [
      'a node that waits has another policy',
      'start>a a>wait wait>b start:x>c',
      { wait: { timeoutSeconds: 1 } },
      'node_changed',
    ],
    [
      'another way leads into what waits',
      'start>a a>wait wait>b start:x>c start:y>wait',
      {},
      'way_out_changed',
    ],
    ['a way comes into what was skipped', 'start>a a>wait wait>b start:x>c wait>c', {}, 'way_in_changed'],
    ['something new hangs on what is done', 'start>a a>wait wait>b start:x>c a>new', {}, 'way_out_changed'],
    [
      'something new hangs on what was skipped',
      'start>a a>wait wait>b start:x>c c>new',
      {},
      'way_out_changed',
    ],
  ])('but not when %s', (...[, edges, members, reason]) => {
    expect(obstacle(definitionOf(edges, members))).toMatchObject({ reason });
  });

  it('but not when a setting is another that binds from the start on', () => {
    const same = 'start>a a>wait wait>b start:x>c';
    expect(obstacle(definitionOf(same, {}, { concurrency: { limit: 1 } }))).toEqual({
      reason: 'settings_changed',
      nodeId: null,
    });
    expect(obstacle(definitionOf(same, {}, { deadlineSeconds: 60 }))).toMatchObject({
      reason: 'settings_changed',
    });
    expect(obstacle(definitionOf(same, {}, { labels: { team: 'a' } }))).toBeNull();
  });

  it('but not when the items of a loop under way would begin with something else', () => {
    const loop = (edges: string, inside: readonly string[]) =>
      definitionOf(edges, {
        each: { type: 'for_each' },
        ...Object.fromEntries(inside.map((id) => [id, { parent: 'each' }])),
      });
    const items = recorded({ start: 'succeeded', each: 'running', first: 'waiting' });
    const old = loop('start>each first>second', ['first', 'second']);
    const of = (after: WorkflowDefinition) => obstacleToMigration(old, after, items);
    expect(of(loop('start>each first>other', ['first', 'other']))).toBeNull();
    expect(of(loop('start>each first>second', ['first', 'second', 'new']))).toMatchObject({
      reason: 'body_changed',
    });
    const done = [...items, ...recorded({ first: 'succeeded' })];
    const changed = loop('start>each first>other', ['first', 'other']);
    expect(obstacleToMigration(old, changed, done)).toEqual({ reason: 'way_out_changed', nodeId: 'first' });
  });
});

type Edge = readonly [from: number, to: number, port: string];

interface Drawing {
  readonly count: number;
  readonly joins: readonly boolean[];
  readonly edges: readonly Edge[];
}

/** Nodes 0 to 9; node 0 is the trigger. Edges lead from earlier to later nodes, so there is no cycle. */
function drawn({ count, joins, edges }: Drawing, versions: readonly number[] = []) {
  const ids = Array.from({ length: count }, (_, i) =>
    i === 0 ? 'start' : `${joins[i] ? 'any' : 'all'}${i}`,
  );
  const forward = fitted(edges, count);
  const led = new Set(forward.map(([, to]) => to));
  const all = [
    ...forward,
    ...ids.flatMap((_, to): Edge[] => (to > 0 && !led.has(to) ? [[0, to, 'out']] : [])),
  ];
  const texts = new Set(all.map(([from, to, port]) => `${ids[from]}:${port}>${ids[to]}`));
  const members = Object.fromEntries(
    ids.map((id, i) => [id, { params: { values: { n: versions[i] ?? 0 } } }]),
  );
  return definitionOf([...texts].join(' '), { ...members, start: {} });
}

const edge = fc.tuple(fc.nat(9), fc.nat(9), fc.constantFrom('out', 'x', 'error'));
const plans = fc.record({
  count: fc.integer({ min: 3, max: 9 }),
  joins: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
  edges: fc.array(edge, { maxLength: 16 }),
  edit: fc.record({
    kind: fc.constantFrom('change', 'hang', 'connect', 'cut', 'join'),
    at: fc.integer({ min: 1, max: 9 }),
    edge,
  }),
  results: fc.array(fc.constantFrom('out', 'x', 'nothing', 'error'), { minLength: 12, maxLength: 12 }),
  completions: fc.nat(8),
});

type Plan = typeof plans extends fc.Arbitrary<infer P> ? P : never;

/** The same definition with one thing changed: a node, a node more, an edge more, an edge less, or a join. */
function edited({ edit: { kind, at, edge: more }, ...drawing }: Plan): WorkflowDefinition {
  const { count, edges } = drawing;
  switch (kind) {
    case 'change':
      return drawn(
        drawing,
        Array.from({ length: 12 }, (_, i) => (i === at ? 1 : 0)),
      );
    case 'hang':
      return drawn({
        ...drawing,
        count: count + 1,
        edges: [...fitted(edges, count), [at % count, count, more[2]]],
      });
    case 'connect':
      return drawn({ ...drawing, edges: [...edges, more] });
    case 'cut':
      return drawn({ ...drawing, edges: edges.filter((_, i) => i !== at) });
    case 'join':
      return withJoin(drawn(drawing), at % count);
    default:
      return kind satisfies never;
  }
}

/** The same definition with another join at one node. */
function withJoin(definition: WorkflowDefinition, at: number): WorkflowDefinition {
  const nodes = definition.nodes.map((node, i) =>
    i === at ? { ...node, join: node.join === 'any' ? ('all' as const) : ('any' as const) } : node,
  );
  return { ...definition, nodes };
}

/** The edges as they are drawn among so many nodes, for a graph that gets more. */
function fitted(edges: readonly Edge[], count: number): readonly Edge[] {
  return edges
    .map(([a, b, port]): Edge => [Math.min(a, b) % count, Math.max(a, b) % count, port])
    .filter(([from, to]) => from < to);
}

describe('whatever the graphs and what is recorded', () => {
  // Seen to fail without the comparison of the ways in, without that of the ways out, and without those of nodes behind.
  it('a run that may go on executes nothing again, loses nothing, and has the same nodes ready', () => {
    const count = { migrated: 0, changedAndMigrated: 0 };
    fc.assert(
      fc.property(plans, (plan) => {
        const before = drawn(plan);
        const after = edited(plan);
        const old = compileGraph(before, kinds);
        const isHandled = (index: number) => old.nodes[index]?.outgoing.some(({ port }) => port === 'error');
        const result = (index: number): NodeResult => {
          const port = plan.results[index] ?? 'out';
          if (port === 'error' && isHandled(index)) return { status: 'failed' };
          return { status: 'succeeded', ports: port === 'nothing' || port === 'error' ? [] : [port] };
        };
        const { state, ready, skipped } = startWalk(old, old.indexOf('start'));
        const waiting = [...ready];
        const statuses = new Map<number, RecordedNodeRun['status']>(
          skipped.map((index) => [index, 'skipped']),
        );
        for (let left = plan.completions + 1; left > 0 && waiting.length > 0; left -= 1) {
          const index = waiting.shift() ?? 0;
          statuses.set(index, result(index).status);
          const follows = settle(old, state, index, result(index));
          waiting.push(...follows.ready);
          for (const other of follows.skipped) statuses.set(other, 'skipped');
        }
        for (const index of waiting) statuses.set(index, 'waiting');
        const idOf = (index: number) => old.nodes[index]?.id ?? '';
        const rows = [...statuses].map(([index, status]) => ({ nodeId: idOf(index), status }));
        if (obstacleToMigration(before, after, rows) !== null) return;
        count.migrated += 1;
        if (JSON.stringify(before) !== JSON.stringify(after)) count.changedAndMigrated += 1;

        const renewed = compileGraph(after, kinds);
        const settled = [...statuses].filter(([, status]) => status === 'succeeded' || status === 'failed');
        const gone = replay(
          renewed,
          renewed.indexOf('start'),
          settled.map(([index]) => ({ nodeIndex: renewed.indexOf(idOf(index)), ...result(index) })),
        );
        const ids = (indices: readonly number[]) => indices.map((index) => renewed.nodes[index]?.id);
        expect(new Set(ids(gone.ready))).toEqual(new Set(waiting.map(idOf)));
        expect(gone.unhandledFailure).toBe(false);
        const stillSkipped = [...statuses].flatMap(([index, status]) =>
          status === 'skipped' ? [idOf(index)] : [],
        );
        expect(ids(gone.skipped)).toEqual(expect.arrayContaining(stillSkipped));
        const begun = new Set<number>();
        for (let queue = [...gone.ready], index = queue.shift(); index !== undefined; index = queue.shift()) {
          const status = statuses.get(old.nodes.findIndex(({ id }) => id === renewed.nodes[index ?? 0]?.id));
          expect([undefined, 'waiting']).toContain(status);
          expect(begun.has(index)).toBe(false);
          begun.add(index);
          queue.push(
            ...settle(renewed, gone.state, index, { status: 'succeeded', ports: ['out', 'x'] }).ready,
          );
        }
      }),
      { numRuns: 2_000 },
    );
    expect(count.changedAndMigrated).toBeGreaterThan(10);
    expect(count.migrated).toBeLessThan(2_000);
  });
});
