import { randomUUID } from 'node:crypto';
import { barrier, PinnedClock, useTestDb } from '#platform/testing';
import { catalogEntities } from '../../catalog/catalog-entities';
import type { Verification } from '../../nodes/webhook-params';
import type { HookRequest } from './hook-event';
import { KEPT_REJECTIONS } from './rejections.service';
import { acceptedBy, aHook, hookRooms, setSecret, type TestHook } from './testing/hook-rooms';
import { signedHeaders } from './verification/sign';

const START = '2026-05-01T00:00:00Z';
const stripe = { preset: 'stripe', toleranceSeconds: 300 } as const;
const github = { preset: 'github' } as const;
const slack = { preset: 'slack', toleranceSeconds: 300 } as const;
const standard = { preset: 'standard', toleranceSeconds: 300 } as const;

describe('signed calls', () => {
  const testDb = useTestDb({ entities: [...catalogEntities], poolSize: 4 });
  const runsOf = ({ workflowId }: TestHook) =>
    testDb().sql('select id from workflow_runs where workflow_id = $1', [workflowId]);
  const rejectionsOf = ({ hookId }: TestHook) =>
    testDb().sql<{ reason: string; body: unknown; headers: unknown }>(
      `select reason, body, headers from hook_deliveries where hook_id = $1 and state = 'rejected' order by id`,
      [hookId],
    );
  const replaysOf = ({ hookId }: TestHook) =>
    testDb().sql<{ expires_at: Date }>('select expires_at from hook_replays where hook_id = $1', [hookId]);

  async function aSignedHook(verification: Exclude<Verification, { readonly preset: 'custom' }> = stripe) {
    const hook = await aHook(testDb(), { verification });
    // Standard Webhooks writes its keys in base64.
    const secret = `whsec_${Buffer.from(randomUUID()).toString('base64')}`;
    await setSecret(testDb(), hook, { kind: 'signing', value: secret });
    const clock = new PinnedClock(START);
    const here = hookRooms(testDb(), { clock });
    const signed = (text = '{"a":1}', given: { readonly secret?: string; readonly id?: string } = {}) => {
      const body = Buffer.from(text);
      const seconds = clock.now().getTime() / 1_000;
      const headers = signedHeaders(verification, { secret, body, id: 'd-1', seconds, ...given }) ?? {};
      return { headers: { 'content-type': 'application/json', ...headers }, body };
    };
    return { hook, secret, clock, here, signed };
  }

  const refused = { code: 'hook.rejected' };

  it('are taken once: sent again bit for bit they lead to the run that they have led to', async () => {
    const { hook, here, signed } = await aSignedHook();
    const first = await acceptedBy(here.call(hook, signed()));
    const again = await acceptedBy(here.call(hook, signed()));
    expect(again).toMatchObject({ runId: first.runId, duplicate: true });
    expect((await acceptedBy(here.call(hook, signed('{"a":2}')))).duplicate).toBe(false);
    expect(await runsOf(hook)).toHaveLength(2);
  });

  // Seen to fail with 50 runs when `ReplayStore.claim` finds nothing seen, and with 2 when it looks only within the
  // batch.
  it('make one run when the same one is sent fifty times at once, to two processes', async () => {
    const { hook, clock, here, signed } = await aSignedHook();
    const processes = [here, hookRooms(testDb(), { clock, db: await testDb().connectAgain() })];
    const together = barrier(50);
    const request = signed();
    const replies = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        await together();
        return acceptedBy((processes[n % 2] ?? here).call(hook, request));
      }),
    );
    expect(new Set(replies.map(({ runId }) => runId)).size).toBe(1);
    expect(await runsOf(hook)).toHaveLength(1);
  });

  // Seen to fail (a run for each) without the ids that presets are known to give.
  it.each([
    { verification: stripe, text: '{"id":"evt_1"}', other: '{"id":"evt_2"}', id: 'd-1' },
    { verification: slack, text: '{"event_id":"Ev1"}', other: '{"event_id":"Ev2"}', id: 'd-1' },
    { verification: standard, text: '{"a":1}', other: '{"a":1}', id: 'd-2' },
  ])(
    'are known by the id of a delivery that $verification.preset signs anew',
    async ({ verification, text, other, id }) => {
      const { hook, clock, here, signed } = await aSignedHook(verification);
      const { runId } = await acceptedBy(here.call(hook, signed(text)));
      clock.advance(30_000);
      expect(await acceptedBy(here.call(hook, signed(text)))).toMatchObject({ runId, duplicate: true });
      expect((await acceptedBy(here.call(hook, signed(other, { id })))).duplicate).toBe(false);
      expect(await runsOf(hook)).toHaveLength(2);
    },
  );

  it('of a sender that signs no id are known by what it signs, whatever id stands beside it', async () => {
    const { hook, here, signed } = await aSignedHook(github);
    const first = await acceptedBy(here.call(hook, signed()));
    const dressedUp = await acceptedBy(here.call(hook, signed('{"a":1}', { id: 'another' })));
    expect(dressedUp).toMatchObject({ runId: first.runId, duplicate: true });
  });

  // Seen to fail (a run) when the batch goes on without its note; an error that is swallowed ends the transaction anyway.
  it('are not let through when their signature cannot be noted', async () => {
    const { hook, here, signed } = await aSignedHook();
    await testDb().sql('alter table hook_replays rename to hook_replays_away');
    try {
      await expect(here.call(hook, signed())).rejects.toThrow('hook_replays');
      expect(await runsOf(hook)).toEqual([]);
      const stored = await testDb().sql('select state from hook_deliveries where hook_id = $1', [
        hook.hookId,
      ]);
      expect(stored).toEqual([]);
    } finally {
      await testDb().sql('alter table hook_replays_away rename to hook_replays');
    }
    expect((await acceptedBy(here.call(hook, signed()))).duplicate).toBe(false);
  });

  // Seen to fail (the signature stays for ever) with the purge of replays taken out of `PURGES`.
  it('are forgotten once they could not be sent again, and no sooner', async () => {
    const { hook, clock, here, signed } = await aSignedHook();
    const request = signed();
    await acceptedBy(here.call(hook, request));
    clock.advance(300_000);
    await here.purger.runOnce();
    expect(await acceptedBy(here.call(hook, request))).toMatchObject({ duplicate: true });
    clock.advance(60_001);
    await expect(here.call(hook, request)).rejects.toMatchObject(refused);
    expect(await replaysOf(hook)).toHaveLength(1);
    await here.purger.runOnce();
    expect(await replaysOf(hook)).toEqual([]);
  });

  it('may be sent again when quota refused them', async () => {
    const { hook, here, signed } = await aSignedHook();
    here.admission.left = 0;
    const together = await Promise.allSettled([here.call(hook, signed()), here.call(hook, signed())]);
    expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await replaysOf(hook)).toEqual([]);
    here.admission.left = 5;
    expect((await acceptedBy(here.call(hook, signed()))).duplicate).toBe(false);
  });

  it('are refused when they are wrong, with one note that holds no body', async () => {
    const { hook, here, signed } = await aSignedHook();
    const { headers } = signed('{"secret":"of the sender"}');
    await expect(here.call(hook, { headers, body: Buffer.from('{"forged":1}') })).rejects.toMatchObject(
      refused,
    );
    await expect(here.call(hook, { body: Buffer.from('{}') })).rejects.toMatchObject(refused);
    expect(await rejectionsOf(hook)).toEqual([
      {
        reason: 'bad_signature',
        body: null,
        headers: { 'content-type': 'application/json', 'stripe-signature': expect.any(String) },
      },
    ]);
    expect(await runsOf(hook)).toEqual([]);
  });

  // Seen to fail with 120 notes without trim-rejected-hook-deliveries.
  it('leave a hundred notes of a hook at most, one in a second, however many are refused', async () => {
    const { hook, clock, here } = await aSignedHook();
    for (let second = 0; second < KEPT_REJECTIONS + 20; second += 1) {
      const storm = Array.from({ length: 3 }, () => here.call(hook).catch(() => undefined));
      await Promise.all(storm);
      clock.advance(1_000);
    }
    expect(await rejectionsOf(hook)).toHaveLength(KEPT_REJECTIONS);
  });

  it('are refused while no secret is set', async () => {
    const hook = await aHook(testDb(), { verification: stripe });
    const here = hookRooms(testDb(), { clock: new PinnedClock(START) });
    const seconds = Date.parse(START) / 1_000;
    const headers =
      signedHeaders(stripe, { secret: 'anything', body: Buffer.from('{}'), id: '', seconds }) ?? {};
    await expect(here.call(hook, { headers, body: Buffer.from('{}') })).rejects.toMatchObject(refused);
    expect(await rejectionsOf(hook)).toMatchObject([{ reason: 'no_secret' }]);
  });

  it('are good under a secret that another process has set a moment ago', async () => {
    const { hook, clock, here, signed } = await aSignedHook();
    await acceptedBy(here.call(hook, signed('{"n":0}')));
    await testDb().sql(`update hook_secrets set valid_until = now() where hook_id = $1`, [hook.hookId]);
    await setSecret(testDb(), hook, { kind: 'signing', value: 'the new one' });
    const fresh = (n: number) => signed(`{"n":${n}}`, { secret: 'the new one' });
    // At most one look a second: a storm of wrong calls is no storm of statements.
    await expect(here.call(hook, fresh(1))).rejects.toMatchObject(refused);
    clock.advance(1_000);
    await acceptedBy(here.call(hook, fresh(2)));
  });

  it('are good under the secret before until its overlap ends', async () => {
    const { hook, secret, clock, here, signed } = await aSignedHook();
    const end = new Date(clock.now().getTime() + 60_000);
    await testDb().sql(`update hook_secrets set valid_until = $2 where hook_id = $1`, [hook.hookId, end]);
    await setSecret(testDb(), hook, { kind: 'signing', value: 'the new one' });
    const both = async (text: string) => {
      const calls = [secret, 'the new one'].map((one, n) =>
        here.call(hook, signed(`${text}${n}`, { secret: one })),
      );
      return (await Promise.allSettled(calls)).map(({ status }) => status);
    };
    expect(await both('a')).toEqual(['fulfilled', 'fulfilled']);
    clock.advance(60_000);
    expect(await both('b')).toEqual(['rejected', 'fulfilled']);
  });
});

describe('other ways in', () => {
  const testDb = useTestDb({ entities: [...catalogEntities], poolSize: 4 });

  it.each([
    [
      'basic',
      { scheme: 'basic', username: 'mill' },
      'password',
      `Basic ${Buffer.from('mill:pässword').toString('base64')}`,
    ],
    ['bearer', { scheme: 'bearer' }, 'bearer', 'bearer p%C3%A4ssword'],
  ] as const)(
    'a hook with %s credentials takes calls that show them, and no others',
    async (...[, auth, kind, good]) => {
      const hook = await aHook(testDb(), { auth });
      await setSecret(testDb(), hook, { kind, value: kind === 'password' ? 'pässword' : 'p%C3%A4ssword' });
      const here = hookRooms(testDb());
      const sent = (authorization?: string) =>
        here.call(hook, { headers: authorization === undefined ? {} : { authorization } });
      await acceptedBy(sent(good));
      for (const wrong of [
        undefined,
        '',
        'Basic',
        `${good}x`,
        good.slice(0, -2),
        good.replace(/^\w+/, 'Digest'),
      ]) {
        await expect(sent(wrong)).rejects.toMatchObject({ code: 'hook.rejected' });
      }
    },
  );

  it('a hook that is asked whether it is there, or ours, says so and starts nothing', async () => {
    const here = hookRooms(testDb());
    const ask = (hook: TestHook, request: Partial<HookRequest>) => here.call(hook, request);
    const plain = await aHook(testDb());
    expect(await ask(plain, { method: 'HEAD' })).toEqual({ kind: 'alive' });
    expect(await ask(plain, { method: 'GET', query: { 'hub.challenge': 'x' } })).toEqual({ kind: 'alive' });
    await expect(ask(plain, { method: 'PUT' })).rejects.toMatchObject({ status: 405 });

    const hub = await aHook(testDb(), { challenge: 'hub' });
    const query = { 'hub.mode': 'subscribe', 'hub.challenge': '115', 'hub.verify_token': 'agreed' };
    expect(await ask(hub, { method: 'GET', query })).toEqual({ kind: 'echo', text: '115' });
    const odd = { ...query, 'hub.challenge': '<script>\n' };
    expect(await ask(hub, { method: 'GET', query: odd })).toEqual({ kind: 'alive' });
    await setSecret(testDb(), hub, { kind: 'verify_token', value: 'agreed' });
    const other = hookRooms(testDb());
    expect(await other.call(hub, { method: 'GET', query })).toEqual({ kind: 'echo', text: '115' });
    const wrong = { ...query, 'hub.verify_token': 'guessed' };
    await expect(other.call(hub, { method: 'GET', query: wrong })).rejects.toMatchObject({
      code: 'hook.rejected',
    });

    const graph = await aHook(testDb(), { challenge: 'graph' });
    const asked = { query: { validationToken: 'Validation:1' } };
    expect(await ask(graph, asked)).toEqual({ kind: 'echo', text: 'Validation:1' });
    const started = await testDb().sql('select 1 from workflow_runs where workflow_id = any ($1::uuid[])', [
      [plain.workflowId, hub.workflowId, graph.workflowId],
    ]);
    expect(started).toEqual([]);
  });

  it('Slack is answered its challenge, when it has signed it', async () => {
    const hook = await aHook(testDb(), { verification: { preset: 'slack' } });
    await setSecret(testDb(), hook, { kind: 'signing', value: 'slack-secret' });
    const clock = new PinnedClock(START);
    const here = hookRooms(testDb(), { clock });
    const body = Buffer.from(JSON.stringify({ type: 'url_verification', challenge: '3eZbrw1aB' }));
    const verification: Verification = { preset: 'slack', toleranceSeconds: 300 };
    const signing = { secret: 'slack-secret', body, id: '', seconds: Date.parse(START) / 1_000 };
    const headers = { ...signedHeaders(verification, signing), 'content-type': 'application/json' };
    expect(await here.call(hook, { headers, body })).toEqual({ kind: 'echo', text: '3eZbrw1aB' });
    await expect(
      here.call(hook, { headers: { 'content-type': 'application/json' }, body }),
    ).rejects.toMatchObject({
      code: 'hook.rejected',
    });
  });

  it('GET and PUT start runs where the node says so, and bodies end at its limit', async () => {
    const hook = await aHook(testDb(), { methods: ['GET', 'PUT'], maxBodyBytes: 10 });
    const here = hookRooms(testDb());
    await acceptedBy(here.call(hook, { method: 'GET', query: { a: '1' } }));
    await acceptedBy(here.call(hook, { method: 'PUT', body: Buffer.alloc(10) }));
    expect(await here.call(hook, { method: 'HEAD' })).toEqual({ kind: 'alive' });
    const tooMuch = here.call(hook, { method: 'PUT', body: Buffer.alloc(11) });
    await expect(tooMuch).rejects.toMatchObject({ code: 'request.too_large' });
    await expect(here.call(hook)).rejects.toMatchObject({ status: 405 });
  });
});
