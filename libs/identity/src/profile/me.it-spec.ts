import { Db, statement } from '#platform';
import { eventually } from '#platform/testing';
import { httpOf, signedUp, useIdentityHttp } from '../testing/http';
import { lockUser } from '../users/user.sql';

const verifyDirectly = statement<[userId: string]>(
  'test-verify-email',
  `update users set email_verified_at = now() where id = $1::uuid`,
);

describe('One’s own account', () => {
  const identity = useIdentityHttp({}, 8);
  const http = () => httpOf(identity());
  const someone = () => signedUp(identity());

  it('has another name when its person says so', async () => {
    const { token, email } = await someone();
    const answer = await http().patch('/v1/me', { name: ' Augusta Ada King ' }, { as: token });
    expect(answer).toMatchObject({ status: 200, json: { name: 'Augusta Ada King', email } });
    expect((await http().get('/v1/me', { as: token })).json.user).toEqual(answer.json);
  });

  it.each([
    {},
    { name: '' },
    { name: 'x'.repeat(101) },
    { name: 'two\nlines' },
    { name: null },
    { name: 'Ada', email: 'eve@example.com' },
    { name: 'Ada', emailVerified: true },
    { name: 'Ada', plan: 'enterprise' },
    { name: 'Ada', role: 'owner' },
  ])('refuses the change %j', async (body) => {
    const { token } = await someone();
    expect((await http().patch('/v1/me', body, { as: token })).status).toBe(400);
    expect((await http().get('/v1/me', { as: token })).json.user.name).toBe('Ada Lovelace');
  });

  /**
   * The new name comes while another change of the same person is not yet committed. Control: with a rename that reads
   * the whole row first and writes all of it back (as an entity's `save` may), the address is unverified again.
   */
  it('loses nothing that changes at the same time', async () => {
    const { token, userId } = await someone();
    const renaming = await identity()
      .get(Db)
      .control(async (tx) => {
        await tx.query(lockUser, userId);
        const rename = http().patch('/v1/me', { name: 'Augusta' }, { as: token });
        await eventually(() => expectOneWaiting());
        await tx.query(verifyDirectly, userId);
        return { rename };
      });
    expect((await renaming.rename).status).toBe(200);
    const { user } = (await http().get('/v1/me', { as: token })).json;
    expect(user).toMatchObject({ name: 'Augusta', emailVerified: true });
  });

  async function expectOneWaiting() {
    const waiting = await identity().sql(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect(waiting).toHaveLength(1);
  }

  it('is closed to API keys, which can do nothing in the name of a person', async () => {
    const { token } = await someone();
    const workspaceId = identity().workspaces.created.at(-1)?.id ?? '';
    const url = `/v1/workspaces/${workspaceId}/api-keys`;
    const { key } = (await http().post(url, { name: 'CI', role: 'admin' }, { as: token })).json;
    const [sessionId] = await identity().sql<{ id: string }>('select id from sessions limit 1');
    const asked = [
      http().patch('/v1/me', { name: 'CI' }, { as: key }),
      http().post('/v1/me/email', { email: 'ci@example.com', password: 'x' }, { as: key }),
      http().post('/v1/me/password', { currentPassword: 'x', newPassword: 'long enough it is' }, { as: key }),
      http().post('/v1/me/terms', { version: '1.0' }, { as: key }),
      http().get('/v1/me/sessions', { as: key }),
      http().delete(`/v1/me/sessions/${sessionId?.id}`, { as: key }),
      http().post('/v1/me/sessions/revoke-others', {}, { as: key }),
      http().get('/v1/me/sign-ins', { as: key }),
    ];
    for (const answer of await Promise.all(asked)) {
      expect(answer).toMatchObject({ status: 403, json: { code: 'request.forbidden' } });
    }
    expect((await http().get('/v1/me', { as: key })).json).toMatchObject({ kind: 'api_key' });
  });
});

describe('The terms', () => {
  const identity = useIdentityHttp({ TERMS_VERSION: '2.0' });
  const http = () => httpOf(identity());

  it('in force are asked for and accepted, once and no others', async () => {
    const email = 'ada@example.com';
    const body = { email, password: 'correct horse battery', acceptTerms: '2.0' };
    const { token, user } = (await http().post('/v1/auth/sign-up', body)).json;
    const terms = async () => (await http().get('/v1/me', { as: token })).json.terms;
    expect(await terms()).toEqual({ current: '2.0', acceptedAt: '2026-01-05T12:00:00.000Z' });
    await identity().sql(`update user_terms_acceptances set version = '1.0' where user_id = $1`, [user.id]);
    expect(await terms()).toEqual({ current: '2.0', acceptedAt: null });

    const other = await http().post('/v1/me/terms', { version: '1.0' }, { as: token });
    expect(other).toMatchObject({
      status: 400,
      json: { errors: [{ pointer: '/version', code: 'terms_version' }] },
    });
    identity().clock.advance(60_000);
    for (let again = 0; again < 2; again += 1) {
      const accepted = await http().post('/v1/me/terms', { version: '2.0' }, { as: token });
      expect(accepted).toMatchObject({
        status: 200,
        json: { current: '2.0', acceptedAt: '2026-01-05T12:01:00.000Z' },
      });
      identity().clock.advance(60_000);
    }
    expect(await terms()).toEqual({ current: '2.0', acceptedAt: '2026-01-05T12:01:00.000Z' });
  });
});
