import { randomUUID } from 'node:crypto';
import { eventually, useTestDb } from '#platform/testing';
import { catalogEntities } from '../../catalog/catalog-entities';
import type { JsonObject } from '../../definition/json';
import { heldLeases, startTestEngine, type TestEngine } from '../../testing';
import type { HookReply } from './hooks.service';
import { MAX_WAITING } from './run-answers.service';
import { aHook, hookRooms } from './testing/hook-rooms';

/** A workflow that answers between what comes before and what comes behind. */
function answering(before: readonly JsonObject[], behind: readonly JsonObject[] = []) {
  const answer = {
    id: 'answer',
    type: 'respond',
    params: { status: 201, headers: { 'x-a': 'b' }, body: { n: '{{ trigger.body.n }}' } },
  };
  const nodes = [...before, answer, ...behind];
  const ids = ['hook', ...nodes.map(({ id }) => id)];
  return { nodes, edges: ids.slice(1).map((to, index) => ({ from: ids[index] ?? '', to })) };
}

describe('a hook that waits for its run', () => {
  const testDb = useTestDb({ entities: [...catalogEntities], poolSize: 4, leases: heldLeases });
  let worker: TestEngine;
  let here: ReturnType<typeof hookRooms>;

  beforeAll(async () => {
    // A process of its own: what it knows of the run, it learns from the database.
    worker = await startTestEngine(await testDb().connectAgain(), testDb().url);
    testDb().beforeClose(() => worker.drain());
    here = hookRooms(testDb());
  });

  const wait = (timeoutSeconds = 30) => ({ respond: { mode: 'wait', timeoutSeconds } });
  const body = Buffer.from('{"n":7}');
  const headers = { 'content-type': 'application/json' };
  const answerOf = async (reply: Promise<HookReply>) => {
    const answer = await reply;
    if (answer.kind !== 'waited') throw new Error(`The call was answered as ${answer.kind}.`);
    return answer;
  };

  it('is answered by the respond node, which another process executes, while the run goes on', async () => {
    const hook = await aHook(
      testDb(),
      wait(),
      answering([], [{ id: 'later', type: 'delay', params: { seconds: 3600 } }]),
    );
    const { answer, delivery } = await answerOf(here.call(hook, { headers, body }));
    expect(answer).toEqual({
      kind: 'responded',
      response: { status: 201, headers: { 'x-a': 'b' }, body: { n: 7 } },
    });
    const [run] = await testDb().sql('select outcome from workflow_runs where id = $1', [delivery.runId]);
    expect(run).toEqual({ outcome: null });
    expect(here.answers.waiting).toBe(0);
  });

  it('tells fifty callers at once each their own', async () => {
    const hook = await aHook(testDb(), wait(), answering([]));
    const said = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const { answer } = await answerOf(here.call(hook, { headers, body: Buffer.from(`{"n":${n}}`) }));
        return answer?.kind === 'responded' ? answer.response.body : null;
      }),
    );
    expect(said).toEqual(Array.from({ length: 50 }, (_, n) => ({ n })));
  });

  it('tells a retry what the first call was told', async () => {
    const params = { ...wait(), dedupe: { by: 'body' } };
    const hook = await aHook(testDb(), params, answering([]));
    const first = await answerOf(here.call(hook, { headers, body }));
    const again = await answerOf(here.call(hook, { headers, body }));
    expect(again).toEqual({ ...first, delivery: { ...again.delivery, runId: first.delivery.runId } });
    expect(again.delivery.duplicate).toBe(true);
  });

  it('says how a run ended that has said nothing', async () => {
    const silent = await aHook(testDb(), wait());
    expect((await answerOf(here.call(silent))).answer).toEqual({ kind: 'over', outcome: 'succeeded' });
    const failing = await aHook(testDb(), wait(), {
      nodes: [{ id: 'broken', type: 'fail', params: { message: 'on purpose' } }],
      edges: [{ from: 'hook', to: 'broken' }],
    });
    expect((await answerOf(here.call(failing))).answer).toEqual({ kind: 'over', outcome: 'failed' });
  });

  it('gives up after its time, and the run goes on', async () => {
    const hook = await aHook(
      testDb(),
      wait(1),
      answering([{ id: 'first', type: 'delay', params: { seconds: 3600 } }]),
    );
    const { answer, delivery } = await answerOf(here.call(hook));
    expect(answer).toBeNull();
    const [run] = await testDb().sql('select outcome from workflow_runs where id = $1', [delivery.runId]);
    expect(run).toEqual({ outcome: null });
  });

  it('waits for nobody who has gone, nor while the process stops', async () => {
    const parked = answering([{ id: 'first', type: 'delay', params: { seconds: 3600 } }]);
    const hook = await aHook(testDb(), wait(120), parked);
    const gone = new AbortController();
    const waiting = answerOf(here.callUntil(hook, {}, gone.signal));
    await eventually(() => expect(here.answers.waiting).toBe(1));
    gone.abort();
    expect((await waiting).answer).toBeNull();
    expect(here.answers.waiting).toBe(0);

    const stopping = hookRooms(testDb());
    const left = answerOf(stopping.call(hook));
    await eventually(() => expect(stopping.answers.waiting).toBe(1));
    await stopping.lifecycle.drain();
    expect((await left).answer).toBeNull();
  });

  it('makes nobody wait on top of a thousand, and forgets none of those who have gone', async () => {
    const gone = new AbortController();
    const crowded = hookRooms(testDb());
    const hook = await aHook(testDb(), wait(), answering([]));
    const wanted = { ...hook, timeoutMs: 120_000, gone: gone.signal };
    const waiting = Array.from({ length: MAX_WAITING }, () =>
      crowded.answers.answerOf({ ...wanted, runId: randomUUID() }),
    );
    expect(crowded.answers.waiting).toBe(MAX_WAITING);
    const { answer, delivery } = await answerOf(crowded.call(hook, { headers, body }));
    expect(answer).toBeNull();
    expect(delivery.runId).toMatch(/^[0-9a-f-]{36}$/);
    gone.abort();
    await Promise.all(waiting);
    expect(crowded.answers.waiting).toBe(0);
    expect((await answerOf(crowded.call(hook, { headers, body }))).answer).toMatchObject({
      kind: 'responded',
    });
  });

  // Seen to hang until its time is over with the sweep taken out.
  it('hears of an answer although the notification was lost', async () => {
    const deaf = hookRooms(testDb());
    await deaf.services.notifications.stop();
    const hook = await aHook(testDb(), wait(), answering([]));
    expect((await answerOf(deaf.call(hook, { headers, body }))).answer).toMatchObject({ kind: 'responded' });
  });
});
