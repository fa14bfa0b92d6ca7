import { randomUUID } from 'node:crypto';
import { barrier } from '#platform/testing';
import { TestBrowser } from '../testing/browser';
import { aPerson, meOf, signedUp, useOAuth } from '../testing/use-oauth';
import { Identities } from './identities.service';
import type { ProviderId } from './oauth-provider';

describe('The providers of an account', () => {
  const { identity, fake, journey, wayBack } = useOAuth();

  const someone = (verified = true) => signedUp(identity, `Grace-${randomUUID()}@example.com`, verified);

  async function call(method: 'GET' | 'DELETE', browser: TestBrowser, path = '') {
    const headers = { authorization: `Bearer ${browser.session ?? ''}` };
    const answer = await identity().app.inject({ method, url: `/v1/me/identities${path}`, headers });
    return { status: answer.statusCode, json: answer.body === '' ? null : answer.json() };
  }

  async function linked(id: ProviderId, browser: TestBrowser) {
    const person = aPerson();
    fake(id).person = person;
    const { answer } = await journey(id, '?link=true&redirectTo=/settings', browser);
    expect(answer).toMatchObject({ status: 302, location: '/settings' });
    return person;
  }

  it('are linked while signed in, whatever their address, and open the account from then on', async () => {
    const account = await someone(false);
    const session = account.browser.session;
    const person = await linked('google', account.browser);
    // The session goes on as it was.
    expect(account.browser.session).toBe(session);
    expect((await call('GET', account.browser)).json).toEqual({
      data: [{ provider: 'google', email: person.email, createdAt: '2026-01-05T12:00:00.000Z' }],
    });
    expect(identity().mail.sent.at(-1)?.subject).toBe('You can sign in with Google now');
    const { browser } = await journey('google', '');
    expect((await meOf(identity, browser)).user.id).toBe(account.id);
    // Linking what is linked changes nothing.
    const mails = identity().mail.sent.length;
    expect((await journey('google', '?link=true', account.browser)).answer.status).toBe(302);
    expect(identity().mail.sent).toHaveLength(mails);
  });

  it('belong to one account each, and an account has one person of each', async () => {
    const [ada, eve] = [await someone(), await someone()];
    const person = await linked('github', ada.browser);
    fake('github').person = person;
    const taken = await journey('github', '?link=true', eve.browser);
    expect(taken.answer.status).toBe(409);
    expect(taken.answer.text).toContain('opens another account here');
    expect((await call('GET', eve.browser)).json).toEqual({ data: [] });
    fake('github').person = aPerson();
    const second = await journey('github', '?link=true', ada.browser);
    expect(second.answer.status).toBe(409);
    expect(second.answer.text).toContain('linked to another person of GitHub');
    fake('github').person = aPerson({ verified: false });
    expect((await journey('github', '?link=true', eve.browser)).answer.status).toBe(403);
  });

  it('are not linked for strangers, for other sites, or for somebody who signed out on the way', async () => {
    const { browser, id } = await someone();
    const out = '/v1/auth/oauth/google?link=true';
    const stranger = await new TestBrowser(identity).get(out);
    expect(stranger).toMatchObject({ status: 401, location: '', cookiesSet: [] });
    const lured = await browser.get(out, { 'sec-fetch-site': 'cross-site' });
    expect(lured).toMatchObject({ status: 403, location: '' });
    expect((await browser.get(out, { 'sec-fetch-site': 'same-origin' })).status).toBe(302);
    fake('google').person = aPerson();
    const back = await wayBack(browser, 'google', '?link=true');
    // Meanwhile somebody else signed in in this browser.
    const other = await someone();
    browser.cookies.set('millrace_session', other.token);
    expect((await browser.get(back)).status).toBe(401);
    expect(
      await identity().sql('select from user_identities where user_id = any ($1)', [[id, other.id]]),
    ).toEqual([]);
  });

  it('are taken away with a mail, and open nothing from then on', async () => {
    const { browser } = await someone();
    const person = await linked('google', browser);
    expect((await call('DELETE', browser, '/google')).status).toBe(204);
    expect(identity().mail.sent.at(-1)?.subject).toBe('Signing in with Google was removed');
    expect((await call('GET', browser)).json).toEqual({ data: [] });
    fake('google').person = person;
    expect((await journey('google', '')).answer.text).toContain('Accept the terms');
    expect((await call('DELETE', browser, '/google')).status).toBe(404);
    expect((await call('DELETE', browser, '/microsoft')).status).toBe(400);
  });

  it('cannot be taken away when nothing else lets the person in', async () => {
    const person = aPerson();
    fake('google').person = person;
    const { browser } = await journey('google');
    const refused = await call('DELETE', browser, '/google');
    expect(refused).toMatchObject({ status: 409, json: { code: 'identity.last_sign_in_method' } });
    await linked('github', browser);
    expect((await call('DELETE', browser, '/google')).status).toBe(204);
    expect((await call('DELETE', browser, '/github')).status).toBe(409);
  });

  it('are out of reach of people who are not signed in', async () => {
    const stranger = new TestBrowser(identity);
    expect((await call('GET', stranger)).status).toBe(401);
    expect((await call('DELETE', stranger, '/google')).status).toBe(401);
  });
});

describe('Two providers that are taken away at once', () => {
  const { identity, fake, journey } = useOAuth({ DATABASE_POOL_SIZE: '4' });

  /**
   * Control: without `lock-user` each of the two counts on the other, and in the first round already nothing
   * is left that opens the account.
   */
  it('leave one that opens the account', async () => {
    for (let round = 0; round < 5; round += 1) {
      const browser = new TestBrowser(identity);
      for (const id of ['google', 'github'] as const) {
        fake(id).person = aPerson();
        await journey(id, id === 'google' ? '?acceptTerms=1.0' : '?link=true', browser);
      }
      const { user } = await meOf(identity, browser);
      const arrive = barrier(2);
      const outcomes = await Promise.allSettled(
        (['google', 'github'] as const).map(async (id) => {
          await arrive();
          return identity().get(Identities).unlink(user.id, id);
        }),
      );
      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      const [left] = await identity().sql(
        'select count(*)::int as count from user_identities where user_id = $1',
        [user.id],
      );
      expect(left).toEqual({ count: 1 });
    }
  });
});
