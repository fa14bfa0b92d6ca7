import type { Db } from '#platform';
import { CollectingLogger, Signal } from '#platform/testing';
import { Checkpointer, LeaseLost, type Recording } from './checkpointer';
import type { Segment } from './segment';

/** A run that has something to record, and notes whether it was asked for it. */
class Run implements Recording {
  taken = false;

  constructor(readonly runId: string) {}

  take(): Segment {
    this.taken = true;
    return {
      runId: this.runId,
      claims: 1,
      workspaceId: 'w',
      retentionDays: 1,
      nodes: [],
      firstSeq: 2,
      events: ['{}'],
      consumed: [],
      recovered: false,
      end: null,
    };
  }
}

describe('a checkpointer', () => {
  /** Each flush: under which lease, and the answer that the test gives. */
  const flushes: { readonly workerId: unknown; readonly answer: Signal<readonly object[]> }[] = [];
  const execute = (_cell: string, _statement: object, workerId: unknown) => {
    const answer = new Signal<readonly object[]>();
    flushes.push({ workerId, answer });
    return answer.arrived;
  };
  const newCheckpointer = () =>
    new Checkpointer({ execute } as unknown as Db, {
      cellId: 'cell_1',
      channel: 'progress',
      logger: new CollectingLogger(),
      onLeaseLost: () => undefined,
    });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  beforeEach(() => {
    flushes.length = 0;
  });

  // Seen to fail (the waiting one is written under the next lease, and passes its fence) when a recording does not
  // remember under which lease it happened.
  it('records nothing under another lease than that under which it happened', async () => {
    const checkpointer = newCheckpointer();
    checkpointer.workAs('first');
    const underWay = [checkpointer.record(new Run('a'))];
    await turn();
    underWay.push(checkpointer.record(new Run('b')));
    await turn();
    expect(flushes.map(({ workerId }) => workerId)).toEqual(['first', 'first']);
    const waiting = new Run('c');
    const lost = checkpointer.record(waiting).catch((error: unknown) => error);
    checkpointer.workAs(null);
    checkpointer.workAs('second');
    const fresh = checkpointer.record(new Run('d'));
    for (const { answer } of flushes.slice(0, 2)) answer.give([{ fenced: true }]);
    await turn();
    expect(flushes.slice(2).map(({ workerId }) => workerId)).toEqual(['second']);
    flushes[2]?.answer.give([{ fenced: true }]);
    expect(await lost).toBeInstanceOf(LeaseLost);
    expect(waiting.taken).toBe(false);
    expect(await fresh).toBe('recorded');
    expect(await Promise.all(underWay)).toEqual(['recorded', 'recorded']);
  });
});
