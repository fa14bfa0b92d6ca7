import { randomUUID } from 'node:crypto';
import { AccessChanges, type EventStream, type LiveAccess, type Tx } from '#platform';
import { barrier, eventually, PinnedClock, Signal, useTestDb } from '#platform/testing';
import { historyMarker } from '../retention/history-marks';
import { aPublishedWorkflow, heldLeases, startTestEngine, type TestEngine } from '../testing';
import { readWorkspaceEvents } from './workspace-events.sql';
import { WorkspaceStreams } from './workspace-streams.service';

const signal = new AbortController().signal;

/** A reader in memory; it can be cut off after so many events. */
class Reader implements EventStream {
  readonly events: {
    readonly id: string;
    readonly runId: string;
    readonly seq: number;
    readonly type: string;
  }[] = [];
  readonly #ended = new AbortController();
  readonly closed = this.#ended.signal;

  constructor(private readonly atMost = Infinity) {}

  send({ id, data }: { readonly id?: string; readonly data: unknown }): boolean {
    if (this.closed.aborted) return false;
    this.events.push({ id: id ?? '', ...(data as { runId: string; seq: number; type: string }) });
    if (this.events.length >= this.atMost) this.close();
    return !this.closed.aborted;
  }

  close(): void {
    this.#ended.abort();
  }
}

describe('the stream of a workspace', () => {
  const testDb = useTestDb({ leases: heldLeases });
  const principal = { kind: 'user', userId: randomUUID(), sessionId: randomUUID() } as never;
  let streams: WorkspaceStreams;
  let allowed = true;
  let worker: TestEngine;

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url);
    const { notifications, logger } = worker.services;
    const liveAccess = { permits: () => Promise.resolve(allowed) } as unknown as LiveAccess;
    streams = new WorkspaceStreams(
      testDb().db, new PinnedClock('2026-11-20T00:00:00Z'), liveAccess, new AccessChanges(notifications), notifications,
      logger,
    ); // prettier-ignore
    testDb().beforeClose(() => worker.drain());
  });

  const follow = async (workspaceId: string, reader: Reader, after?: string) => {
    const from = await streams.position(workspaceId, after);
    return { done: streams.follow(reader, { principal, workspaceId }, from) };
  };

  /** Each run's numbers, in the order in which they came. */
  function seqsOf({ events }: Pick<Reader, 'events'>): ReadonlyMap<string, readonly number[]> {
    const seqs = new Map<string, number[]>();
    for (const { runId, seq } of events) seqs.set(runId, [...(seqs.get(runId) ?? []), seq]);
    return seqs;
  }

  const oneToN = (n: number) => Array.from({ length: n }, (_, index) => index + 1);

  it('tells every event of every run of the workspace once, in the order of its numbers, and of no other', async () => {
    const definition = {
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'call', type: 'test.effect' },
        { id: 'wait', type: 'delay', params: { seconds: 1 } },
      ],
      edges: [
        { from: 'start', to: 'call' },
        { from: 'call', to: 'wait' },
      ],
    };
    const workflow = await aPublishedWorkflow(testDb(), definition);
    const foreign = await aPublishedWorkflow(testDb(), definition);
    const reader = new Reader();
    const { done } = await follow(workflow.workspaceId, reader);
    const started = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        await worker.start(foreign, { n });
        const result = await worker.start(workflow, { n });
        return result.kind === 'started' ? result.runId : '';
      }),
    );
    await eventually(
      () => {
        expect(reader.events.filter(({ type }) => type === 'run.succeeded')).toHaveLength(30);
        return Promise.resolve();
      },
      { timeoutMs: 25_000 },
    );
    const seqs = seqsOf(reader);
    expect([...seqs.keys()].toSorted()).toEqual(started.toSorted());
    for (const numbers of seqs.values()) expect(numbers).toEqual(oneToN(numbers.length));

    // Cut off anywhere, and taken up again, it is the same stream.
    const whole = reader.events;
    const again: Reader['events'] = [];
    for (let after = whole[0]?.id; again.length < whole.length - 1;) {
      const part = new Reader(7);
      const following = await follow(workflow.workspaceId, part, after);
      if (again.length + 7 > whole.length - 1) {
        await eventually(() => {
          expect(part.events).toHaveLength(whole.length - 1 - again.length);
          return Promise.resolve();
        });
        part.close();
      }
      await following.done;
      again.push(...part.events);
      after = part.events.at(-1)?.id;
    }
    expect(again).toEqual(whole.slice(1));
    reader.close();
    await done;
  }, 40_000);

  /** Writes the events of a run's checkpoint in a transaction that commits when it is told to. */
  async function overlapping(workspaceId: string, runId: string, commit: Promise<void>) {
    const [written, db] = [new Signal(), await testDb().connectAgain()];
    const committed = db.cell('cell_1', async (tx: Tx) => {
      await tx.query(
        {
          name: 'test-insert-events',
          text: `insert into workflow_run_events (run_id, first_seq, last_seq, workspace_id, events)
                 values ($1, 2, 3, $2, '[{"type":"run.started","at":"x"},{"type":"run.succeeded","at":"x"}]')`,
        },
        runId,
        workspaceId,
      );
      written.give();
      await commit;
    });
    await written.arrived;
    return { committed };
  }

  // Seen to fail without pg_snapshot_xmin: the first one's events, committed behind the reader, never came.
  it('neither loses nor doubles what commits out of order', async () => {
    const workspaceId = randomUUID();
    await aPublishedWorkflow(
      testDb(),
      { nodes: [{ id: 'start', type: 'trigger.manual' }], edges: [] },
      { workspaceId },
    );
    const reader = new Reader();
    const { done } = await follow(workspaceId, reader);
    const [first, second] = ['019a9467-e800-7000-8000-000000000001', '019a9467-e800-7000-8000-000000000002'];
    const [late, early] = [new Signal(), new Signal()];
    // The one that has the smaller number commits last.
    const slow = await overlapping(workspaceId, first, late.arrived);
    const quick = await overlapping(workspaceId, second, early.arrived);
    early.give();
    await quick.committed;
    const read = async () =>
      (
        await testDb().db.execute(
          'cell_1', readWorkspaceEvents, workspaceId, '0', '00000000-0000-0000-0000-000000000000', 0, '9000000000000000000', 10,
        )
      ).map(({ runId }) => runId); // prettier-ignore
    expect(await read()).toEqual([]);
    late.give();
    await slow.committed;
    // Older transactions of the whole server hold it up.
    await eventually(async () => expect(await read()).toEqual([first, second]), { timeoutMs: 20_000 });
    await eventually(
      () => {
        expect(reader.events.map(({ runId, seq }) => [runId, seq])).toEqual([
          [first, 2],
          [first, 3],
          [second, 2],
          [second, 3],
        ]);
        return Promise.resolve();
      },
      { timeoutMs: 12_000 },
    );
    reader.close();
    await done;
  }, 60_000);

  it('tells the same to readers that come and go while writers race', async () => {
    const workspaceId = randomUUID();
    await aPublishedWorkflow(
      testDb(),
      { nodes: [{ id: 'start', type: 'trigger.manual' }], edges: [] },
      { workspaceId },
    );
    const from = await streams.position(workspaceId, undefined);
    const ready = barrier(4);
    const written = Promise.all(
      Array.from({ length: 4 }, async (_, writer) => {
        const db = await testDb().connectAgain();
        await ready();
        for (let n = 0; n < 40; n += 1) {
          await db.cell('cell_1', async (tx) => {
            const id = `019a9468-e800-7000-800${writer}-${String(n).padStart(12, '0')}`;
            await tx.query(
              {
                name: 'test-insert-event',
                text: `insert into workflow_run_events (run_id, first_seq, last_seq, workspace_id, events)
                       values ($1, 2, 2, $2, '[{"type":"run.started","at":"x"}]')`,
              },
              id,
              workspaceId,
            );
            // Holds its number for a while, so that others overtake it.
            await tx.query({ name: 'test-dawdle', text: `select pg_sleep(random() * 0.01)` });
          });
        }
      }),
    );
    const seen: Reader['events'] = [];
    for (let position = from; seen.length < 160;) {
      const reader = new Reader(Math.min(25, 160 - seen.length));
      await streams.follow(reader, { principal, workspaceId }, position);
      seen.push(...reader.events);
      position = await streams.position(workspaceId, seen.at(-1)?.id);
    }
    await written;
    expect(new Set(seen.map(({ runId }) => runId)).size).toBe(160);
  }, 30_000);

  it('cannot be taken up behind what is kept, nor from the future, nor from nonsense', async () => {
    const workflow = await aPublishedWorkflow(testDb(), {
      nodes: [{ id: 'start', type: 'trigger.manual' }],
      edges: [],
    });
    const reader = new Reader(2);
    const { done } = await follow(workflow.workspaceId, reader);
    await worker.start(workflow, {});
    await done;
    const id = reader.events[0]?.id ?? '';
    await streams.position(workflow.workspaceId, id);
    const clock = new PinnedClock('2026-11-19T22:30:00Z');
    await testDb().sql('create table bump (n int)');
    // Other databases of the server may be at something older for a moment.
    await eventually(async () => {
      clock.advance(1_000);
      await historyMarker({ db: testDb().db, clock }, 'cell_1').runOnce(signal);
      await expect(streams.position(workflow.workspaceId, id)).rejects.toMatchObject({
        type: { code: 'stream.expired' },
      });
    });
    const future = `900000000000000000${id.slice(id.indexOf('.'))}`;
    await expect(streams.position(workflow.workspaceId, future)).rejects.toMatchObject({
      type: { code: 'stream.expired' },
    });
    for (const nonsense of ['1', `${id}.1`, 'x.y.z']) {
      await expect(streams.position(workflow.workspaceId, nonsense)).rejects.toMatchObject({
        type: { code: 'request.invalid' },
      });
    }
  });

  it('ends when its reader may read no more', async () => {
    const workflow = await aPublishedWorkflow(testDb(), {
      nodes: [{ id: 'start', type: 'trigger.manual' }],
      edges: [],
    });
    const reader = new Reader();
    const { done } = await follow(workflow.workspaceId, reader);
    allowed = false;
    await worker.start(workflow, {});
    await done;
    expect(reader.closed.aborted).toBe(true);
    allowed = true;
  }, 15_000);
});
