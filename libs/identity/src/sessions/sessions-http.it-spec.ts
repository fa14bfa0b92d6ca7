import { randomUUID } from 'node:crypto';
import { AccessChanges } from '#platform';
import { eventually } from '#platform/testing';
import { httpOf, signedUp, useIdentityHttp } from '../testing/http';

const MINUTE_MS = 60_000;

describe('Sessions over HTTP', () => {
  const identity = useIdentityHttp({}, 4);
  const http = () => httpOf(identity());

  async function someone() {
    const account = await signedUp(identity());
    const signIn = async (rememberMe = false) => {
      const { email, password } = account;
      const headers = { 'user-agent': 'a phone' };
      const answer = await http().post('/v1/auth/sign-in', { email, password, rememberMe }, { headers });
      const token: string = answer.json.token;
      return token;
    };
    const list = async (as = account.token) => (await http().get('/v1/me/sessions', { as })).json.data;
    return { ...account, signIn, list };
  }

  it('are listed, newest first, with where and when they were used', async () => {
    const { token, signIn, list } = await someone();
    identity().clock.advance(MINUTE_MS);
    await signIn(true);
    const [began, later] = ['2026-01-05T12:00:00.000Z', '2026-01-05T12:01:00.000Z'];
    const shared = { id: expect.any(String), ip: '127.0.0.1', userAgent: expect.any(String) };
    expect(await list()).toEqual([
      {
        ...shared,
        createdAt: later,
        lastSeenAt: later,
        expiresAt: '2026-02-04T12:01:00.000Z',
        userAgent: 'a phone',
        remember: true,
        current: false,
      },
      {
        ...shared,
        createdAt: began,
        lastSeenAt: later,
        expiresAt: '2026-01-12T12:00:00.000Z',
        remember: false,
        current: true,
      },
    ]);
    const page = (await http().get('/v1/me/sessions?limit=1', { as: token })).json;
    expect(page).toMatchObject({ data: [{ remember: true }], hasMore: true });
    const next = await http().get(`/v1/me/sessions?limit=1&cursor=${page.nextCursor}`, { as: token });
    expect(next.json).toMatchObject({ data: [{ remember: false }], hasMore: false });
  });

  it('are ended one by one', async () => {
    const { token, signIn, list } = await someone();
    const other = await signIn();
    const [{ id }] = await list();
    expect((await http().delete(`/v1/me/sessions/${id}`, { as: token })).status).toBe(204);
    expect((await http().get('/v1/me', { as: other })).status).toBe(401);
    expect((await http().get('/v1/me', { as: token })).status).toBe(200);
    expect((await http().delete(`/v1/me/sessions/${id}`, { as: token })).status).toBe(404);
  });

  it('of others, and those that never were, are not found, in the same words', async () => {
    const mine = await someone();
    const theirs = await someone();
    const [{ id }] = await theirs.list();
    const answers = [];
    for (const asked of [id, randomUUID()]) {
      const { status, json } = await http().delete(`/v1/me/sessions/${asked}`, { as: mine.token });
      const { instance: _, requestId: __, ...rest } = json;
      answers.push({ status, text: JSON.stringify(rest) });
    }
    expect(answers[0]?.status).toBe(404);
    expect(answers[1]).toEqual(answers[0]);
    expect((await http().delete('/v1/me/sessions/nonsense', { as: mine.token })).status).toBe(400);
    expect(await theirs.list()).toHaveLength(1);
  });

  it('are ended all but the present one', async () => {
    const { token, signIn, list } = await someone();
    const others = [await signIn(), await signIn(true)];
    const bystander = await someone();
    const answer = await http().post('/v1/me/sessions/revoke-others', {}, { as: token });
    expect(answer).toMatchObject({ status: 200, json: { revoked: 2 } });
    for (const as of others) expect((await http().get('/v1/me', { as })).status).toBe(401);
    expect(await list()).toMatchObject([{ current: true }]);
    expect(await bystander.list()).toHaveLength(1);
  });

  it('that are over are neither listed nor there to be ended', async () => {
    const { list, signIn } = await someone();
    const [{ id }] = await list();
    identity().clock.advance(7 * 24 * 60 * MINUTE_MS);
    const token = await signIn();
    expect(await list(token)).toMatchObject([{ current: true }]);
    expect((await http().delete(`/v1/me/sessions/${id}`, { as: token })).status).toBe(404);
  });

  describe('in another process', () => {
    /** What a second process knows of a person: whether their token works there, and what it is told of them. */
    async function elsewhere() {
      const other = await identity().another();
      const told: (string | null)[] = [];
      const stop = other.get(AccessChanges).on((subject) => told.push(subject));
      // Connected: from now on nothing is missed.
      await eventually(() => expect(told).toEqual([null]));
      const works = async (as: string) => (await httpOf(other).get('/v1/me', { as })).status === 200;
      return { works, told, stop };
    }

    it('are over as soon as they were ended in this one, and the other is told', async () => {
      const { works, told, stop } = await elsewhere();
      const ends: readonly ((account: Awaited<ReturnType<typeof someone>>) => Promise<unknown>)[] = [
        ({ token }) => http().post('/v1/auth/sign-out', {}, { as: token }),
        async ({ signIn }) => http().post('/v1/me/sessions/revoke-others', {}, { as: await signIn() }),
        async ({ signIn, list }) =>
          http().delete(`/v1/me/sessions/${(await list()).at(-1).id}`, { as: await signIn() }),
        async ({ signIn, password }) =>
          http().post(
            '/v1/me/password',
            { currentPassword: password, newPassword: 'a mill beside the river' },
            { as: await signIn() },
          ),
        async ({ email }) => {
          await http().post('/v1/auth/forgot-password', { email });
          const token = identity().mail.tokenFor(email, 'reset-password');
          await http().post('/v1/auth/reset-password', { token, password: 'a mill beside the river' });
        },
      ];
      for (const end of ends) {
        const account = await someone();
        expect(await works(account.token)).toBe(true);
        await end(account);
        expect(await works(account.token)).toBe(false);
        await eventually(() => expect(told).toContain(`user:${account.userId}`));
      }
      stop();
    });
  });
});
