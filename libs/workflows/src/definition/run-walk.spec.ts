import fc from 'fast-check';
import type { Place } from './frame';
import { compileGraph } from './graph';
import type { JsonValue } from './json';
import { type RecordedRow, RecordedRows } from './recorded-rows';
import { RunWalk } from './run-walk';
import { definitionSchema } from './schema';
import { agrees, type Expected } from './testing/expected';
import { randomWorkflows, type RandomWorkflow, testKinds } from './testing/random-workflow';
import {
  itemAt,
  keyOf,
  loopsAround,
  outputOf,
  Reference,
  type ReferenceFrame,
} from './testing/reference-run';
import { type Draw, type Driven, WalkDriver } from './testing/walk-driver';

/** Draws that shrink to 0, as many as are wanted. */
const draws = fc.infiniteStream(fc.nat(999_999)).map((stream): Draw => {
  return (below) => Number(stream.next().value) % below;
});

function drive(workflow: RandomWorkflow, draw: Draw, mostCrashes: number): Driven {
  return new WalkDriver(workflow, draw).run(mostCrashes);
}

/** Throws unless the run came out as the rules say. */
function expectAsTheRulesSay(workflow: RandomWorkflow, driven: Driven): void {
  const reference = new Reference(workflow.definition, workflow.script);
  const frame = reference.run(workflow.trigger);
  expectTheEnd(frame, driven);
  for (const row of driven.rows.values()) expectTheRow(frame, row);
  for (const key of driven.seen.keys()) expectWhatIsSeen({ workflow, reference, frame }, driven, key);
  if (driven.failure !== null) return;
  for (const [key, { isCertain, becomes }] of frame.fates) {
    if (!isCertain) continue;
    const { status } = driven.rows.get(key) ?? {};
    const became = status === 'succeeded' || status === 'failed' ? 'executed' : status;
    expect({ key, became }).toEqual({ key, became: becomes });
  }
}

function expectTheEnd({ failures, lastOutputs }: ReferenceFrame, { failure, output }: Driven): void {
  if (failure === null) {
    expect(failures).toEqual([]);
    expectAgreement('the output', output, lastOutputs);
    return;
  }
  const possible = failures.map(({ nodeId, iteration, error }) => ({ key: keyOf(nodeId, iteration), error }));
  expect(possible).toContainEqual(failure);
}

function expectTheRow({ fates }: ReferenceFrame, row: RecordedRow): void {
  const key = keyOf(row.nodeId, row.iteration);
  const { becomes, isCertain, result } = fates.get(key) ?? {};
  expect({ key, becomes }).toEqual({ key, becomes: row.status === 'skipped' ? 'skipped' : 'executed' });
  if (row.status === 'skipped') return;
  if (row.status !== 'succeeded' && row.status !== 'failed') {
    // Given up, or under way when the run failed.
    expect({ key, isCertain }).toEqual({ key, isCertain: false });
    return;
  }
  expect({ key, status: row.status }).toEqual({ key, status: result?.status });
  if (result?.status === 'succeeded') expectAgreement(key, row.output, result.output);
  else expect(result?.errors).toContainEqual(row.error);
}

/** A node sees what is settled in its frame, and what came before the loops around; the items of those; nothing else. */
function expectWhatIsSeen(
  { workflow: { definition, script }, reference, frame }: Told,
  { rows, seen }: Driven,
  key: string,
): void {
  const [nodeId = '', iteration = ''] = key.split('@');
  const { parent } = reference.node(nodeId);
  const { nodes, loops } = seen.get(key) ?? { nodes: {}, loops: {} };
  const around = loopsAround(definition, { parent, iteration });
  const items = around.map(({ loop, iteration: outer, index }) => {
    const value = { item: itemAt(script.itemsOf(loop, outer), index), index };
    return [loop, value] as const;
  });
  expect(loops).toEqual(items.length === 0 ? {} : { ...items.at(-1)?.[1], loops: Object.fromEntries(items) });

  const inFrame = definition.nodes.filter((node) => node.parent === parent).map(({ id }) => id);
  const places = new Map(inFrame.map((id) => [id, iteration]));
  const certain = new Map([...reference.overBefore(nodeId)].map((id) => [id, iteration]));
  for (const { loop, iteration: outer } of around) {
    for (const id of reference.leadingTo(loop)) places.set(id, outer);
    for (const id of reference.overBefore(loop)) certain.set(id, outer);
  }
  for (const [id, output] of Object.entries(nodes)) {
    const result = frame.fates.get(keyOf(id, places.get(id) ?? 'nowhere'))?.result ?? null;
    expectAgreement(`${id} as ${key} sees it`, output, result === null ? 'nothing' : outputOf(result));
  }
  const expected = [...certain].filter(([id, at]) =>
    ['succeeded', 'failed'].includes(rows.get(keyOf(id, at))?.status ?? ''),
  );
  expect(Object.keys(nodes)).toEqual(expect.arrayContaining(expected.map(([id]) => id)));
}

function expectAgreement(what: string, actual: JsonValue | undefined, expected: Expected): void {
  if (!agrees(actual, expected)) expect({ what, value: actual }).toEqual({ what, value: expected });
}

interface Told {
  readonly workflow: RandomWorkflow;
  readonly reference: Reference;
  readonly frame: ReferenceFrame;
}

/** A loop whose body is `left` and `right`, and a node that waits for both. */
function loopWithJoin(onItemError: 'fail' | 'continue') {
  const inLoop = { type: 'test', parent: 'each' };
  const definition = {
    nodes: [
      { id: 'start', type: 'trigger.test' },
      { id: 'each', type: 'for_each', params: { items: [] } },
      ...['left', 'right', 'both'].map((id) => ({ id, ...inLoop })),
    ],
    edges: [
      { from: 'start', to: 'each' },
      { from: 'left', to: 'both' },
      { from: 'right', to: 'both' },
    ],
  };
  const { walk, follows } = RunWalk.start(compileGraph(definitionSchema.parse(definition), testKinds), 0);
  const done = { status: 'succeeded', ports: ['out'], output: null } as const;
  const failed = { status: 'failed', error: { code: 'test.broken', message: 'broken' } } as const;
  const [each] = follows.ready.flatMap((start) => walk.settle(start, done).ready);
  if (each === undefined) throw new Error('The loop is not ready.');
  const begun = walk.beginLoop(each, { items: ['a', 'b'], concurrency: 1, onItemError, collect: null });
  const [left, right] = begun.ready;
  if (left === undefined || right === undefined) throw new Error('The first item has not begun.');
  return { walk, each, left, right, done, failed };
}

const idsOf = (places: readonly Place[]): readonly string[] =>
  places.map(({ node, frame }) => keyOf(node.id, frame.iteration));

describe('An item that fails', () => {
  test('begins nothing more: not the join that its failure leaves without anything to wait for', () => {
    const { walk, left, right, done, failed } = loopWithJoin('continue');
    expect(walk.settle(left, done).ready).toEqual([]);
    const follows = walk.settle(right, failed);
    expect(idsOf(follows.ready)).toEqual(['left@1', 'right@1']);
    expect(follows.abandoned).toEqual([left.frame]);
    expect(follows.ended).toEqual([]);
  });

  test('ends its loop with the reason', () => {
    const { walk, each, left, right, done, failed } = loopWithJoin('fail');
    walk.settle(left, done);
    const follows = walk.settle(right, failed);
    expect(follows).toMatchObject({ ready: [], abandoned: [left.frame], failure: null });
    const message = 'Item 0 failed at the node right: broken';
    const details = { index: 0, nodeId: 'right', code: 'test.broken' };
    const result = { status: 'failed', error: { code: 'node.item_failed', message, details } };
    expect(follows.ended).toEqual([{ place: each, result }]);
  });

  test.each(['fail', 'continue'] as const)(
    'is the same after a crash, beside what it gave up (%s)',
    (onItemError) => {
      const { walk, each, failed } = loopWithJoin(onItemError);
      const row = { iteration: '', ports: '', output: null, error: null, loop: null };
      const given = { items: ['a', 'b'], concurrency: 1, onItemError, collect: null } as const;
      const rows: RecordedRow[] = [
        { ...row, nodeId: 'right', iteration: '0', status: 'failed', error: failed.error },
        { ...row, nodeId: 'left', iteration: '0', status: 'canceled' },
        { ...row, nodeId: 'each', status: 'running', loop: given },
        { ...row, nodeId: 'start', status: 'succeeded', ports: 'out' },
      ];
      const { follows } = RunWalk.replay(walk.root.graph, 0, new RecordedRows(rows));
      expect(follows.abandoned.map(({ iteration }) => iteration)).toEqual(['0']);
      expect(idsOf(follows.ready)).toEqual(onItemError === 'fail' ? [] : ['left@1', 'right@1']);
      expect(follows.ended).toMatchObject(
        onItemError === 'fail'
          ? [{ place: { node: each.node }, result: { error: { details: { index: 0, nodeId: 'right' } } } }]
          : [],
      );
    },
  );

  test.each(['fail', 'continue'] as const)('awaits nothing of what is still under way in it (%s)', (mode) => {
    const { walk, each, left, right, done, failed } = loopWithJoin(mode);
    expect([each, left, right].map((place) => walk.awaits(place))).toEqual([true, true, true]);
    walk.settle(right, failed);
    expect([each, left].map((place) => walk.awaits(place))).toEqual([true, false]);
    expect(() => walk.settle(left, done)).toThrow('given up');
  });
});

// Property tests take their time on a busy machine.
jest.setTimeout(240_000);

describe('Whatever the workflow, the failures and the order of completion', () => {
  test('a run ends as the rules say', () => {
    fc.assert(
      fc.property(randomWorkflows, draws, (workflow, draw) => {
        expectAsTheRulesSay(workflow, drive(workflow, draw, 0));
      }),
      { numRuns: 250 },
    );
  });

  test('and so it does when it is interrupted again and again', () => {
    fc.assert(
      fc.property(randomWorkflows, draws, (workflow, draw) => {
        expectAsTheRulesSay(workflow, drive(workflow, draw, 6));
      }),
      { numRuns: 250 },
    );
  });

  test('and so it does from whatever of it was recorded', () => {
    fc.assert(
      fc.property(randomWorkflows, draws, (workflow, draw) => {
        const { journal } = drive(workflow, draw, 0);
        // Long runs are cut at some of their entries only, or this would take minutes.
        const cuts = [...journal.keys()].filter(() => journal.length < 25 || draw(journal.length) < 25);
        for (const cut of cuts) {
          const driver = new WalkDriver(workflow, draw).takeUp(journal.slice(0, cut));
          expectAsTheRulesSay(workflow, driver.run(0));
        }
      }),
      { numRuns: 60 },
    );
  });
});
