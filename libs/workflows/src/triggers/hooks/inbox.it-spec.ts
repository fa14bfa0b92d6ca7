import { barrier, PinnedClock, useTestDb } from '#platform/testing';
import { catalogEntities } from '../../catalog/catalog-entities';
import { acceptedBy, aHook, hookRooms, type TestHook } from './testing/hook-rooms';

const json = (value: unknown) => ({
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(value)),
});

describe('the inbox', () => {
  const testDb = useTestDb({ entities: [...catalogEntities], poolSize: 4 });
  const rooms = () => hookRooms(testDb());
  const runsOf = ({ workflowId }: TestHook) =>
    testDb().sql<{ id: string }>('select id from workflow_runs where workflow_id = $1', [workflowId]);
  const deliveriesOf = ({ hookId }: TestHook) =>
    testDb().sql<Record<string, unknown>>('select * from hook_deliveries where hook_id = $1 order by id', [
      hookId,
    ]);

  it('has each delivery with its run, byte for byte, without the sender’s credentials', async () => {
    const hook = await aHook(testDb());
    const body = Buffer.from([0, 255, 10, 13, 31, 0x41]);
    const headers = { 'x-event': 'push', authorization: 'Basic c2VjcmV0', cookie: 'a=b' };
    const { runId, deliveryId } = await acceptedBy(
      rooms().call(hook, { headers, query: { a: ['1', '2'] }, body }),
    );
    expect(await deliveriesOf(hook)).toEqual([
      expect.objectContaining({
        id: deliveryId,
        state: 'accepted',
        run_id: runId,
        reason: null,
        source: 'call',
        method: 'POST',
        headers: { 'x-event': 'push' },
        query: { a: ['1', '2'] },
        body,
        body_bytes: 6,
      }),
    ]);
    const [run] = await testDb().sql<{ input: unknown }>('select input from workflow_runs where id = $1', [
      runId,
    ]);
    expect(run?.input).toEqual({
      headers: { 'x-event': 'push' },
      query: { a: ['1', '2'] },
      body: body.toString('base64'),
      bodyKind: 'base64',
    });
  });

  it('stores hundreds of calls at once, each with a run of its own', async () => {
    const hook = await aHook(testDb());
    const here = rooms();
    const replies = await Promise.all(
      Array.from({ length: 300 }, (_, n) => acceptedBy(here.call(hook, json({ n })))),
    );
    expect(new Set(replies.map(({ runId }) => runId)).size).toBe(300);
    const stored = await deliveriesOf(hook);
    expect(new Map(stored.map((row) => [row['id'], row['run_id']]))).toEqual(
      new Map(replies.map(({ deliveryId, runId }) => [deliveryId, runId])),
    );
  });

  // Seen to fail with 50 runs without a key (`idempotency: null` in Deliveries), and with 26 or more when
  // keys are compared within a batch alone.
  it.each([
    ['header', { by: 'header', header: 'X-Delivery-Id' }],
    [
      'expression',
      { by: 'expression', expression: '{{ trigger.body.id & "/" & trigger.headers.`x-delivery-id` }}' },
    ],
    ['body', { by: 'body' }],
  ])('makes one run of fifty retries at once, through two processes, known by %s', async (_, dedupe) => {
    const hook = await aHook(testDb(), { dedupe });
    const processes = [rooms(), hookRooms(testDb(), { db: await testDb().connectAgain() })];
    const together = barrier(50);
    const replies = await Promise.all(
      Array.from({ length: 50 }, async (__, n) => {
        const { headers, body } = json({ id: 7 });
        await together();
        const here = processes[n % 2] ?? rooms();
        return acceptedBy(here.call(hook, { headers: { ...headers, 'x-delivery-id': 'd-1' }, body }));
      }),
    );
    expect(await runsOf(hook)).toHaveLength(1);
    expect(new Set(replies.map(({ runId }) => runId)).size).toBe(1);
    expect(replies.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    const states = (await deliveriesOf(hook)).map(({ state }) => state);
    expect(states.filter((state) => state === 'duplicate')).toHaveLength(49);
  });

  it('takes what differs for another delivery, and a header of another hook as well', async () => {
    const [one, other] = [
      await aHook(testDb(), { dedupe: { by: 'header', header: 'x-id' } }),
      await aHook(testDb(), { dedupe: { by: 'header', header: 'x-id' } }),
    ];
    const here = rooms();
    const ids = ['1', '2', '1', ''].map((id) => acceptedBy(here.call(one, { headers: { 'x-id': id } })));
    const duplicates = (await Promise.all(ids)).map(({ duplicate }) => duplicate);
    expect(duplicates).toEqual([false, false, true, false]);
    // Another body under the same id is the same delivery: the sender says so.
    const again = await acceptedBy(
      here.call(one, { headers: { 'x-id': '2' }, body: Buffer.from('changed') }),
    );
    expect(again.duplicate).toBe(true);
    expect((await acceptedBy(here.call(other, { headers: { 'x-id': '1' } }))).duplicate).toBe(false);
    // Without an id, a sender is taken at its word.
    expect((await acceptedBy(here.call(one))).duplicate).toBe(false);
    expect((await acceptedBy(here.call(one))).duplicate).toBe(false);
  });

  it('takes a call anew whose expression fails or gives nothing', async () => {
    const dedupe = { by: 'expression', expression: '{{ trigger.body.missing }}' };
    const hook = await aHook(testDb(), { dedupe });
    const here = rooms();
    for (const body of [{}, {}, { missing: null }, { missing: null }]) {
      expect((await acceptedBy(here.call(hook, json(body)))).duplicate).toBe(false);
    }
    await acceptedBy(here.call(hook, json({ missing: { a: 1 } })));
    expect((await acceptedBy(here.call(hook, json({ missing: { a: 1 } })))).duplicate).toBe(true);
  });

  // Seen to fail (a duplicate after the window, and after a purge as well) without give-up-start-keys.
  it('knows a delivery until its window is over, to the instant, and purges what is over', async () => {
    const hook = await aHook(testDb(), { dedupe: { by: 'body', windowSeconds: 10 } });
    const clock = new PinnedClock('2026-03-01T00:00:00Z');
    const here = hookRooms(testDb(), { clock });
    const sent = async () => (await acceptedBy(here.call(hook, json({ n: 1 })))).duplicate;
    expect([await sent(), await sent()]).toEqual([false, true]);
    clock.advance(9_999);
    expect(await sent()).toBe(true);
    clock.advance(1);
    expect([await sent(), await sent()]).toEqual([false, true]);
    expect(await runsOf(hook)).toHaveLength(2);
    const kept = () =>
      testDb().sql('select expires_at from run_start_keys where workflow_id = $1', [hook.workflowId]);
    expect(await kept()).toEqual([{ expires_at: new Date('2026-03-01T00:00:20Z') }]);
  });

  // Seen to fail (more than one further run) when a key is given up whether its window is over or not.
  it('starts one run of fifty retries at once whose window is over, through two processes', async () => {
    const hook = await aHook(testDb(), { dedupe: { by: 'body', windowSeconds: 10 } });
    const clock = new PinnedClock('2026-03-02T00:00:00Z');
    const processes = [
      hookRooms(testDb(), { clock }),
      hookRooms(testDb(), { clock, db: await testDb().connectAgain() }),
    ];
    const sent = async (n: number) => acceptedBy((processes[n % 2] ?? rooms()).call(hook, json({ a: 1 })));
    await sent(0);
    await sent(1);
    clock.advance(10_000);
    const together = barrier(50);
    const replies = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        await together();
        return sent(n);
      }),
    );
    expect(replies.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(await runsOf(hook)).toHaveLength(2);
  });

  it('keeps what quota refuses, tells why, and lets the sender try again', async () => {
    const hook = await aHook(testDb(), { dedupe: { by: 'body' } });
    const here = rooms();
    here.admission.left = 0;
    await expect(here.call(hook, json({ n: 1 }))).rejects.toMatchObject({ code: 'run.refused' });
    expect(await deliveriesOf(hook)).toMatchObject([
      { state: 'refused', reason: 'test.quota', run_id: null },
    ]);
    here.admission.left = 1;
    const { runId, duplicate } = await acceptedBy(here.call(hook, json({ n: 1 })));
    expect(duplicate).toBe(false);
    expect(await deliveriesOf(hook)).toMatchObject([
      { state: 'refused' },
      { state: 'accepted', run_id: runId },
    ]);
  });

  // Seen to fail (a run that cannot but fail) when the size of the event is not looked at.
  it('starts no run with an event that is larger than a run can begin with, and keeps what came', async () => {
    const hook = await aHook(testDb(), { maxBodyBytes: 1_048_576 });
    const here = rooms();
    const text = Buffer.alloc(1_000_000, 'x');
    await acceptedBy(here.call(hook, { body: text }));
    for (const body of [Buffer.alloc(1_000_000, 255), Buffer.alloc(250_000, 1)]) {
      await expect(here.call(hook, { body })).rejects.toMatchObject({ code: 'request.too_large' });
    }
    const stored = await deliveriesOf(hook);
    expect(stored.map(({ state, reason }) => [state, reason])).toEqual([
      ['accepted', null],
      ['refused', 'request.too_large'],
      ['refused', 'request.too_large'],
    ]);
    expect(stored[1]?.['body']).toHaveLength(1_000_000);
    expect(await runsOf(hook)).toHaveLength(1);
  });

  it('stores nothing for an address that is none', async () => {
    const hook = await aHook(testDb());
    const wrong = hook.token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    await expect(rooms().call({ token: wrong })).rejects.toMatchObject({ code: 'hook.not_found' });
    expect(await deliveriesOf(hook)).toEqual([]);
  });

  it('forgets deliveries after their days, thirty at most', async () => {
    const hook = await aHook(testDb());
    const clock = new PinnedClock('2026-04-01T00:00:00Z');
    const here = hookRooms(testDb(), { clock });
    await acceptedBy(here.call(hook));
    clock.advance(30 * 86_400_000 - 1);
    await here.purger.runOnce();
    expect(await deliveriesOf(hook)).toHaveLength(1);
    clock.advance(1);
    await here.purger.runOnce();
    expect(await deliveriesOf(hook)).toEqual([]);
  });

  it('one delivery that cannot be stored does not spoil the others of its batch', async () => {
    const hook = await aHook(testDb());
    const here = rooms();
    // PostgreSQL cannot hold this in a text column; JSON of the event escapes it.
    const replies = await Promise.allSettled([
      here.call(hook),
      here.call(hook, { method: 'PO\u0000ST' }),
      here.call(hook),
    ]);
    expect(replies.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
});
