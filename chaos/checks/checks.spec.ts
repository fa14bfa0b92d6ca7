import { factsOf } from '../history/facts';
import type { History } from '../history/history';
import { linesOf } from '../report/report';
import { percentile } from './percentile';
import { recoveryTimesMs } from './recovery';
import { call, nodeRow, nodeWrite, PORTS, queueWrite } from './testing/rows';
import { soundHistory } from './testing/sound-history';

/** Titles of the lines that a history breaks. */
function brokenBy(change: (history: History) => Partial<History>): readonly string[] {
  const sound = soundHistory();
  const lines = linesOf(factsOf({ ...sound, ...change(sound) }));
  return lines.filter(({ ok }) => ok === false).map(({ title }) => title);
}

/** The rows with one of them changed. */
function changed<T>(rows: readonly T[], at: number, values: Partial<T>): readonly T[] {
  return rows.map((row, index) => (index === at ? { ...row, ...values } : row));
}

describe('the checks', () => {
  it('find nothing in a history in which nothing is wrong', () => {
    expect(brokenBy(() => ({}))).toEqual([]);
  });

  const cases: readonly (readonly [string, (sound: History) => Partial<History>])[] = [
    [
      'accepted runs lost',
      ({ starts }) => ({ starts: [...starts, { ...starts[0], key: 'start-9', runIds: ['gone'] } as never] }),
    ],
    [
      'runs stuck',
      ({ runs, events }) => ({
        runs: changed(runs, 0, { outcome: null }),
        events: changed(events, 1, { types: ['node.succeeded', 'node.succeeded'] }),
      }),
    ],
    [
      'runs made twice for one key',
      ({ starts }) => ({ starts: changed(starts, 0, { runIds: ['run-1', 'run-1', 'run-2'] }) }),
    ],
    ['usage counters that differ from runs', () => ({ usage: [{ workspaceId: 'workspace-1', used: 2 }] })],
    ['usage counters that differ from runs', () => ({ usage: [] })],
    ['rows left in queue and lease', () => ({ left: { runs: ['run-1'], workers: [] } })],
    ['rows left in queue and lease', () => ({ left: { runs: [], workers: ['A'] } })],
    [
      'runs that ended otherwise than their graph says',
      ({ nodes }) => ({ nodes: changed(nodes, 2, { status: 'skipped' }) }),
    ],
    [
      'runs that ended otherwise than their graph says',
      ({ nodes }) => ({ nodes: nodes.filter(({ nodeId }) => nodeId !== 'pause') }),
    ],
    [
      'runs that ended otherwise than their graph says',
      ({ runs, events }) => ({
        runs: changed(runs, 0, { outcome: 'failed', errorCode: 'run.engine_fault' }),
        events: changed(events, 1, { types: ['node.succeeded', 'run.failed'] }),
      }),
    ],
    [
      'node results recorded twice',
      ({ writes }) => ({
        writes: writes.flatMap((write) => (write.seq === 10 ? [write, { ...write, seq: 10.5 }] : [write])),
      }),
    ],
    ['node results recorded twice', ({ nodes }) => ({ nodes: nodes.flatMap((node) => [node, node]) })],
    ...(
      [
        [{ firstSeq: 5, lastSeq: 6 }],
        [{ firstSeq: 3, lastSeq: 4 }],
        [{ types: ['run.succeeded'] }],
        [{ types: ['run.succeeded', 'run.succeeded'] }],
        [{ types: ['node.succeeded', 'node.succeeded'] }],
        [{ types: ['node.succeeded', 'run.failed'] }],
        [{ types: ['run.succeeded', 'node.succeeded'] }],
      ] as const
    ).map(
      ([row]) =>
        [
          'runs whose events have gaps, doubles or no end',
          ({ events }: History) => ({ events: changed(events, 1, row) }),
        ] as const,
    ),
    [
      'recorded answers that no call was given',
      ({ nodes }) => ({ nodes: changed(nodes, 1, { number: 77 }) }),
    ],
    ['effects repeated, and how many may be', ({ faults }) => ({ faults: faults.slice(1) })],
    [
      'repeats although nobody else claimed the run',
      ({ calls }) => ({ calls: [...calls, call({ atMs: 1_350 })] }),
    ],
    [
      'repeats with another key or body',
      ({ calls }) => ({ calls: changed(calls, 1, { bodyHash: 'other' }) }),
    ],
    [
      'repeats with another key or body',
      ({ calls }) => ({ calls: changed(calls, 1, { key: 'run-1:first:2' }) }),
    ],
    // The second of two that were both told that they count.
    [
      'accepted messages that a node did not take',
      ({ messages }) => ({
        messages: [...messages, { ...messages[0], number: 2, acceptedAtMs: 8_000 } as never],
      }),
    ],
    [
      'keys that stand for different calls',
      ({ calls }) => ({ calls: changed(calls, 2, { key: 'run-1:first' }) }),
    ],
    [
      'effects before what they depend on was recorded',
      ({ calls }) => ({ calls: changed(calls, 2, { atMs: 6_450 }) }),
    ],
    [
      'fences violated',
      ({ writes }) => ({
        writes: [...writes.slice(0, 12), nodeWrite(12.5, 6_600, { nodeId: 'late' }), ...writes.slice(12)],
      }),
    ],
    // Results of a run that nobody has, by a worker that lives.
    [
      'fences violated',
      ({ writes }) => ({ writes: [...writes, nodeWrite(16, 6_800, { nodeId: 'late', port: PORTS.two })] }),
    ],
    // A run is taken from a worker that lives, and a claim is made by one that is dead.
    ['fences violated', ({ writes }) => ({ writes: changed(writes, 6, { seq: 8.5 }) })],
    [
      'fences violated',
      ({ writes }) => ({ writes: [...writes, queueWrite(16, 6_800, { status: 'owned', workerId: 'A' })] }),
    ],
    // Whoever cannot be told from others may be anybody.
    ['fences violated', ({ connections }) => ({ connections: connections.slice(0, 2) })],
    [
      'delays that ended early',
      ({ writes, calls }) => ({
        writes: changed(writes, 11, { atMs: 6_300 }),
        calls: changed(calls, 2, { atMs: 6_600 }),
      }),
    ],
    // Due too soon: the clock that said when was wrong.
    [
      'delays that ended early',
      ({ writes }) => ({ writes: changed(changed(writes, 10, { resumeAtMs: 5_000 }), 11, { atMs: 5_100 }) }),
    ],
    [
      'processes that ended by themselves once ready',
      ({ collapses }) => ({ collapses: changed(collapses, 0, { wasReady: true }) }),
    ],
  ];
  /** What loops, called runs and messages add. */
  const waitingCases: typeof cases = [
    [
      'runs made twice for one key',
      ({ runs }) => ({ runs: [...runs, { ...runs[2], id: 'run-4' } as never] }),
    ],
    ['runs nobody asked for', ({ runs }) => ({ runs: runs.filter(({ id }) => id !== 'run-2') })],
    ['called runs lost, or taken for others', ({ runs }) => ({ runs: runs.slice(0, 2) })],
    [
      'called runs lost, or taken for others',
      ({ nodes }) => ({ nodes: nodes.map((row) => ({ ...row, calledRunId: row.calledRunId && 'run-1' })) }),
    ],
    [
      'callers that went on before the called run ended',
      ({ writes }) => ({
        writes: writes.map((row) => (row.seq === 33 ? { ...row, seq: 35.5 } : row)),
      }),
    ],
    // An item too many, and one too few.
    [
      'runs that ended otherwise than their graph says',
      ({ nodes }) => ({ nodes: [...nodes, nodeRow({ runId: 'run-2', nodeId: 'book', iteration: '2' })] }),
    ],
    [
      'runs that ended otherwise than their graph says',
      ({ nodes }) => ({ nodes: nodes.filter(({ iteration }) => iteration !== '1') }),
    ],
    [
      'node results recorded twice',
      ({ writes }) => ({
        writes: writes.flatMap((row) => (row.seq === 26 ? [row, { ...row, seq: 26.5 }] : [row])),
      }),
    ],
    [
      'recorded answers that no call was given',
      ({ nodes }) => ({
        nodes: nodes.map((row) => (row.iteration === '1' ? { ...row, number: 4 } : row)),
      }),
    ],
    [
      'recorded answers that no call was given',
      ({ nodes }) => ({ nodes: nodes.map((row) => (row.nodeId === 'answer' ? { ...row, number: 2 } : row)) }),
    ],
    [
      'accepted messages that a node did not take',
      ({ messages, nodes }) => ({
        messages: [...messages, { ...messages[0], number: 2, acceptedAtMs: null } as never],
        nodes: nodes.map((row) => (row.nodeId === 'answer' ? { ...row, number: 2 } : row)),
      }),
    ],
    [
      'keys that stand for different calls',
      ({ calls }) => ({
        calls: calls.map((one) => (one.iteration === '1' ? { ...one, key: 'run-2:book:0' } : one)),
      }),
    ],
    // A call for an item before the loop's items are recorded, and one behind the loop before all items are.
    [
      'effects before what they depend on was recorded',
      ({ writes }) => ({ writes: writes.map((row) => (row.seq === 24 ? { ...row, atMs: 7_350 } : row)) }),
    ],
    [
      'effects before what they depend on was recorded',
      ({ writes }) => ({ writes: writes.map((row) => (row.seq === 26 ? { ...row, atMs: 8_850 } : row)) }),
    ],
  ];
  it.each([...cases, ...waitingCases])('report %s', (title, change) => {
    expect(brokenBy(change)).toContain(title);
  });

  it('report runs nobody asked for, and their effects', () => {
    expect(brokenBy(({ runs }) => ({ runs: changed(runs, 0, { key: 'unknown' }) }))).toContain(
      'runs nobody asked for',
    );
    expect(
      brokenBy(({ calls }) => ({ calls: [...calls, call({ runId: 'none', key: 'none:first' })] })),
    ).toEqual(['effects of runs that are not there']);
  });

  it('do not call it broken that a run fails because one that it called was given up', () => {
    const change = ({ runs }: History): Partial<History> => ({
      runs: runs.map((run) => {
        if (run.key === 'start-2/child') return { ...run, outcome: 'failed', errorCode: 'run.workers_lost' };
        return run.key === 'start-2' ? { ...run, outcome: 'failed', errorCode: 'node.child_failed' } : run;
      }),
    });
    expect(brokenBy(change)).not.toContain('runs that ended otherwise than their graph says');
  });

  it('report a recorded node that its owner calls again, and an unsafe one that anybody does', () => {
    const again = { atMs: 6_650, process: 'worker-2#1' };
    expect(brokenBy(({ calls }) => ({ calls: [...calls, call(again)] }))).toEqual([
      'repeats although nobody else claimed the run',
      'completed nodes executed again',
    ]);
    const unsafe = call({ nodeId: 'second', atMs: 6_650, process: 'worker-1#1' });
    expect(brokenBy(({ calls }) => ({ calls: [...calls, unsafe] }))).toEqual([
      'effects of unsafe nodes doubled',
    ]);
  });

  it('tell the items of a loop apart: a call for each is no repeat, and one for an item that is recorded is', () => {
    const item = (iteration: string) =>
      call({ runId: 'run-2', nodeId: 'book', iteration, atMs: 7_500, number: 8, process: 'worker-2#1' });
    expect(brokenBy(({ calls }) => ({ calls: [...calls, item('1')] }))).toEqual([
      'repeats although nobody else claimed the run',
      'completed nodes executed again',
    ]);
  });

  it('count a late call of a frozen worker, which no fence can hold, without calling it broken', () => {
    const sound = soundHistory();
    // It was frozen between its claim and its call.
    const calls = [...sound.calls.slice(1), call({ atMs: 6_000, process: 'worker-1#1' })];
    const lines = linesOf(factsOf({ ...sound, calls }));
    expect(lines.filter(({ ok }) => ok === false)).toEqual([]);
    expect(lines.find(({ title }) => title.startsWith('calls sent by'))?.figure).toBe(
      '1 of 7 calls, 1 after the result was recorded',
    );
  });

  it("take a call whose sender had gone for the owner's if that had gone, and for a lost one's if the owner lives", () => {
    const again = call({ atMs: 6_650, number: 8, process: null });
    const broken = (endedAtMs: number | null) =>
      brokenBy(({ calls, processes }) => ({
        calls: [...calls, again],
        processes: changed(processes, 2, { endedAtMs }),
      }));
    expect(broken(6_640)).toContain('completed nodes executed again');
    expect(broken(null)).not.toContain('completed nodes executed again');
  });

  it('find each thing that is listed among the cases', () => {
    // A check nothing can break would say ok for ever.
    const judged = linesOf(factsOf(soundHistory())).filter(({ ok }) => ok !== null);
    const shown = new Set([
      ...[...cases, ...waitingCases].map(([title]) => title),
      'effects of runs that are not there',
      'completed nodes executed again',
      'effects of unsafe nodes doubled',
    ]);
    expect(judged.map(({ title }) => title).filter((title) => !shown.has(title))).toEqual([]);
  });
});

describe('figures', () => {
  it('take the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([
      percentile(values, 0.5),
      percentile(values, 0.99),
      percentile([7], 0.99),
      percentile([], 0.5),
    ]).toEqual([50, 99, 7, null]);
  });

  it('measure recovery from the loss to the first progress by whoever took over', () => {
    expect(recoveryTimesMs(factsOf(soundHistory()))).toEqual([3_000]);
  });
});
