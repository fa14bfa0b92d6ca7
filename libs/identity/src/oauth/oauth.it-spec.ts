import { generateSync } from 'otplib';
import { barrier } from '#platform/testing';
import { TestBrowser } from '../testing/browser';
import { environmentFor, type FakePerson } from '../testing/fake-oauth';
import { FakeSignUpInvitations } from '../testing/port-fakes';
import { useIdentityHttp } from '../testing/http';
import type { IdentityApp } from '../testing/identity-app';
import { aPerson, meOf, PUBLIC_URL, signedUp, useOAuth } from '../testing/use-oauth';
import { Identities } from './identities.service';
import { OAuthProviders } from './oauth-providers.service';

const MINUTE_MS = 60_000;

describe.each(['google', 'github'] as const)('Signing in with %s', (id) => {
  const { identity, fake, journey, wayBack } = useOAuth();
  const sql: IdentityApp['sql'] = (...query) => identity().sql(...query);

  function atTheKeyboard(more: Partial<FakePerson> = {}): FakePerson {
    const person = aPerson(more);
    fake(id).person = person;
    return person;
  }

  it('makes an account: verified, with terms, workspace and session, and without a mail', async () => {
    const person = atTheKeyboard();
    const mails = identity().mail.sent.length;
    const { answer, browser } = await journey(id);
    expect(answer).toMatchObject({ status: 302, location: '/' });
    const me = await meOf(identity, browser);
    expect(me).toMatchObject({
      user: { email: person.email, name: 'Ada Lovelace', emailVerified: true },
      workspaces: [{ name: "Ada Lovelace's workspace", role: 'owner' }],
    });
    const [row] = await sql(
      `select u.password_hash, t.version, i.provider, i.subject, i.email, a.method, a.outcome
         from users u join user_terms_acceptances t on t.user_id = u.id join user_identities i on i.user_id = u.id
         join sign_in_attempts a on a.user_id = u.id where u.id = $1`,
      [me.user.id],
    );
    expect(row).toEqual({
      password_hash: null,
      version: '1.0',
      provider: id,
      subject: person.subject,
      email: person.email,
      method: id,
      outcome: 'succeeded',
    });
    expect(identity().mail.sent).toHaveLength(mails);
  });

  it('knows people by their subject: whatever becomes of name and address, it is the same account', async () => {
    const person = atTheKeyboard();
    const first = await journey(id);
    const { user } = await meOf(identity, first.browser);
    fake(id).person = { ...person, email: `new-${person.email}`, verified: false, name: 'Countess' };
    const second = await journey(id, '?remember=true&redirectTo=/workspaces%3Ftab=1');
    expect(second.answer).toMatchObject({ status: 302, location: '/workspaces?tab=1' });
    expect((await meOf(identity, second.browser)).user).toEqual(user);
    expect(second.answer.cookiesSet.join()).toContain('Expires=Wed, 04 Feb 2026');
    const [attempts] = await sql('select count(*)::int as count from sign_in_attempts where user_id = $1', [
      user.id,
    ]);
    expect(attempts).toEqual({ count: 2 });
  });

  it('asks for the terms before it makes an account, and goes on from there', async () => {
    const person = atTheKeyboard();
    const { answer, browser } = await journey(id, '?redirectTo=/next&remember=true');
    expect(answer.status).toBe(200);
    expect(browser.session).toBeNull();
    const [, href = ''] = /<a href="([^"]+)">Accept the terms/.exec(answer.text) ?? [];
    const query = new URL(href.replaceAll('&amp;', '&'), PUBLIC_URL).search;
    expect(Object.fromEntries(new URLSearchParams(query))).toEqual({
      acceptTerms: '1.0',
      remember: 'true',
      redirectTo: '/next',
    });
    expect(await sql('select from users where email = $1', [person.email])).toEqual([]);
    const again = await journey(id, query);
    expect(again.answer).toMatchObject({ status: 302, location: '/next' });
    // Terms of another version are not these.
    atTheKeyboard();
    expect((await journey(id, '?acceptTerms=0.9')).answer.text).toContain('Accept the terms');
  });

  it('lets somebody into their account when both sides have proven the address', async () => {
    const person = atTheKeyboard();
    const account = await signedUp(identity, person.email.toLowerCase(), true);
    const { browser } = await journey(id, '');
    expect((await meOf(identity, browser)).user.id).toBe(account.id);
    expect(identity().mail.sent.at(-1)?.subject).toMatch(/^You can sign in with G/);
    // Another person of the provider with the same address does not get in beside the first.
    fake(id).person = { ...person, subject: aPerson().subject };
    const other = await journey(id);
    expect(other.answer).toMatchObject({ status: 409 });
    expect(other.browser.session).toBeNull();
  });

  it('refuses an address that the provider has not verified', async () => {
    const person = atTheKeyboard({ verified: false });
    await signedUp(identity, person.email, true);
    for (const { answer, browser } of [await journey(id), await journey(id)]) {
      expect(answer.status).toBe(403);
      expect(answer.text).toContain('has not verified an e-mail address');
      expect(browser.session).toBeNull();
    }
    const stranger = atTheKeyboard({ verified: false });
    expect((await journey(id)).answer.status).toBe(403);
    expect(await sql('select from users where email = $1', [stranger.email])).toEqual([]);
  });

  it('refuses an account that has not proven the address: somebody else may have planted it', async () => {
    const person = atTheKeyboard();
    const planted = await signedUp(identity, person.email, false);
    const { answer, browser } = await journey(id);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('reset its password');
    expect(browser.session).toBeNull();
    expect(await sql('select from user_identities where user_id = $1', [planted.id])).toEqual([]);
    await sql('update users set email_verified_at = now() where id = $1', [planted.id]);
    expect((await journey(id)).answer.status).toBe(302);
  });

  it('shows a page when the person refuses at the provider', async () => {
    fake(id).person = null;
    const { answer, browser } = await journey(id);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('did not sign you in (access_denied)');
    expect(browser.session).toBeNull();
  });

  it('shows a page when the provider is out of order, and works again once it is not', async () => {
    atTheKeyboard();
    const path = id === 'google' ? '/token' : '/api/user/emails';
    fake(id).broken.add(path);
    const { answer, browser } = await journey(id);
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('cannot be reached at the moment');
    expect(browser.session).toBeNull();
    fake(id).broken.delete(path);
    expect((await journey(id)).answer.status).toBe(302);
  });

  it('sends state and PKCE along, and takes the code of one browser from no other', async () => {
    atTheKeyboard();
    const [mine, theirs] = [new TestBrowser(identity), new TestBrowser(identity)];
    const back = await wayBack(mine, id, '?acceptTerms=1.0');
    const asked = fake(id).asked.at(-1)?.searchParams;
    expect(asked?.get('code_challenge_method')).toBe('S256');
    expect(asked?.get('state')).toMatch(/^[\w-]{43}$/);
    expect(asked?.has('nonce')).toBe(id === 'google');
    const foreign = new URL(await wayBack(theirs, id), PUBLIC_URL);
    // Their code under my state: only the verifier in their cookie redeems it.
    foreign.searchParams.set('state', new URL(back, PUBLIC_URL).searchParams.get('state') ?? '');
    const answer = await mine.get(`${foreign.pathname}${foreign.search}`);
    expect(answer.status).toBe(400);
    expect(mine.session).toBeNull();
  });

  it.each([
    ['without a cookie', (browser: TestBrowser) => browser.cookies.clear()],
    [
      'with a cookie that was made up',
      (browser: TestBrowser) => browser.cookies.set('millrace_oauth', 'AAAA'),
    ],
    [
      'with a cookie that was changed',
      (browser: TestBrowser) => {
        const cookie = browser.cookies.get('millrace_oauth') ?? '';
        browser.cookies.set('millrace_oauth', `${cookie.startsWith('A') ? 'B' : 'A'}${cookie.slice(1)}`);
      },
    ],
    ['after ten minutes', () => identity().clock.advance(10 * MINUTE_MS)],
  ])('opens nothing %s', async (_, spoil) => {
    atTheKeyboard();
    const browser = new TestBrowser(identity);
    const back = await wayBack(browser, id, '?acceptTerms=1.0');
    spoil(browser);
    const answer = await browser.get(back);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('Start again.');
    expect(browser.session).toBeNull();
  });

  it('opens nothing with the cookie of another journey, or of the other provider', async () => {
    atTheKeyboard();
    const browser = new TestBrowser(identity);
    const back = await wayBack(browser, id, '?acceptTerms=1.0');
    for (const begun of ['google', 'github']) {
      const other = new TestBrowser(identity);
      await other.get(`/v1/auth/oauth/${begun}?acceptTerms=1.0`);
      const answer = await other.get(back);
      expect(answer).toMatchObject({ status: 400 });
      expect(other.session).toBeNull();
    }
  });

  it.each(['', 'x', 'A'.repeat(43)])('opens nothing when the state is %j', async (state) => {
    atTheKeyboard();
    const browser = new TestBrowser(identity);
    const back = new URL(await wayBack(browser, id, '?acceptTerms=1.0'), PUBLIC_URL);
    back.searchParams.set('state', state);
    const answer = await browser.get(`${back.pathname}${back.search}`);
    expect(answer.status).toBe(400);
    expect(browser.session).toBeNull();
  });

  it('opens nothing twice, even for a browser that kept the cookie', async () => {
    atTheKeyboard();
    const browser = new TestBrowser(identity);
    const back = await wayBack(browser, id, '?acceptTerms=1.0');
    const keeper = browser.copy();
    expect((await browser.get(back)).status).toBe(302);
    for (const again of [browser, keeper]) {
      again.cookies.delete('millrace_session');
      expect((await again.get(back)).status).toBe(400);
      expect(again.session).toBeNull();
    }
  });

  it('shows nothing of what a made-up callback says', async () => {
    const browser = new TestBrowser(identity);
    const start = await browser.get(`/v1/auth/oauth/${id}`);
    const state = new URL(start.location).searchParams.get('state') ?? '';
    const query = new URLSearchParams({
      state,
      error: '<script>alert(1)</script>',
      error_description: 'pay here',
    });
    const answer = await browser.get(`/v1/auth/oauth/${id}/callback?${query.toString()}`);
    expect(answer.status).toBe(400);
    expect(answer.text).not.toMatch(/<script|pay here/);
  });

  it('asks for the second factor on a page of its own', async () => {
    const person = atTheKeyboard();
    const account = await signedUp(identity, person.email, true);
    const secret = await enableSecondFactor(account);
    const code = () => generateSync({ secret, epoch: identity().clock.now().getTime() / 1000 });
    const { answer, browser } = await journey(id, '?redirectTo=/next&remember=true');
    expect(answer.status).toBe(200);
    expect(browser.session).toBeNull();
    expect(answer.text).toContain('<form method="post" action="/sign-in/second-factor">');
    const [, challenge = ''] = /name="challenge" value="([\w-]+)"/.exec(answer.text) ?? [];
    const press = (fields: Record<string, string>, headers = {}) =>
      browser.post('/sign-in/second-factor', { challenge, redirectTo: '/next', ...fields }, headers);
    const wrong = await press({ code: '000000' });
    expect(wrong.status).toBe(403);
    expect(wrong.text).toContain(`name="challenge" value="${challenge}"`);
    expect((await press({ code: code() }, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect(browser.session).toBeNull();
    const right = await press({ code: code() });
    expect(right).toMatchObject({ status: 303, location: '/next' });
    expect(right.cookiesSet.join()).toContain('Expires=Wed, 04 Feb 2026');
    expect((await meOf(identity, browser)).user.id).toBe(account.id);
    const attempts = await sql(
      'select method, outcome from sign_in_attempts where user_id = $1 order by id',
      [account.id],
    );
    expect(attempts).toEqual([
      { method: id, outcome: 'wrong_code' },
      { method: id, outcome: 'succeeded' },
    ]);
    const late = await press({ code: code(), redirectTo: '//evil.example' });
    expect(late.status).toBe(401);
    const next = await journey(id);
    const [, second = ''] = /name="challenge" value="([\w-]+)"/.exec(next.answer.text) ?? [];
    identity().clock.advance(MINUTE_MS);
    const elsewhere = await press({ challenge: second, code: code(), redirectTo: '//evil.example' });
    expect(elsewhere).toMatchObject({ status: 303, location: '/' });
  });

  async function enableSecondFactor({
    token,
    password,
  }: {
    token: string;
    password: string;
  }): Promise<string> {
    const post = (url: string, payload: object) =>
      identity().app.inject({ method: 'POST', url, payload, headers: { authorization: `Bearer ${token}` } });
    const { secret } = (await post('/v1/me/two-factor', { password })).json();
    const epoch = identity().clock.now().getTime() / 1000;
    const enabled = await post('/v1/me/two-factor/enable', { code: generateSync({ secret, epoch }) });
    expect(enabled.statusCode).toBe(200);
    identity().clock.advance(MINUTE_MS);
    return secret;
  }
});

describe('The way out to a provider', () => {
  const { identity } = useOAuth();
  const start = (path: string) => new TestBrowser(identity).get(`/v1/auth/oauth/${path}`);

  it.each([
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    'javascript:alert(1)',
    '/.//evil.example',
    'x',
  ])('does not lead to %j in the end', async (redirectTo) => {
    const answer = await start(`google?${new URLSearchParams({ redirectTo }).toString()}`);
    expect(answer).toMatchObject({ status: 400, location: '', cookiesSet: [] });
    expect(answer.text).toContain('must be a path of this site');
  });

  it.each(['microsoft', 'GOOGLE', 'constructor'])('is not there for %s', async (id) => {
    expect((await start(id)).status).toBe(404);
    expect((await start(`${id}/callback`)).status).toBe(404);
  });

  it('keeps the cookie to these routes, ten minutes and no script', async () => {
    const { cookiesSet } = await start('google');
    expect(cookiesSet).toEqual([
      expect.stringMatching(
        /^millrace_oauth=[\w-]+; Path=\/v1\/auth\/oauth; Expires=Mon, 05 Jan 2026 12:10:00 GMT; HttpOnly; SameSite=Lax$/,
      ),
    ]);
  });

  it('is offered where it is configured', () => {
    expect(identity().get(OAuthProviders).options()).toEqual([
      { id: 'google', title: 'Google', path: '/v1/auth/oauth/google' },
      { id: 'github', title: 'GitHub', path: '/v1/auth/oauth/github' },
    ]);
  });
});

describe('A closed installation', () => {
  const { identity, fake, journey } = useOAuth({ SIGNUP_MODE: 'invite' });

  it('makes no account for a stranger with a provider', async () => {
    const person = aPerson();
    fake('google').person = person;
    const { answer, browser } = await journey('google');
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('by invitation only');
    expect(browser.session).toBeNull();
    expect(await identity().sql('select from users')).toEqual([]);
  });

  it('lets in whoever holds an invitation, also by way of the terms', async () => {
    const person = aPerson();
    fake('google').person = person;
    const { open, followed } = identity().get(FakeSignUpInvitations);
    open.set('welcome', { email: person.email });
    const { answer } = await journey('google', '?invitation=welcome');
    const [, href = ''] = /<a href="([^"]+)">Accept the terms/.exec(answer.text) ?? [];
    const { search } = new URL(href.replaceAll('&amp;', '&'), PUBLIC_URL);
    const { browser } = await journey('google', search);
    const { user } = await meOf(identity, browser);
    expect(followed).toMatchObject([{ token: 'welcome', userId: user.id, emailVerified: true }]);
    // It was for that address alone.
    fake('google').person = aPerson();
    expect((await journey('google', '?invitation=welcome&acceptTerms=1.0')).answer.status).toBe(404);
  });
});

describe('An installation without providers', () => {
  const identity = useIdentityHttp();

  it('offers none', async () => {
    expect(identity().get(OAuthProviders).options()).toEqual([]);
    const answer = await new TestBrowser(identity).get('/v1/auth/oauth/google');
    expect(answer.status).toBe(404);
    expect(answer.text).toContain('does not offer');
  });
});

describe('A provider that is away', () => {
  const identity = useIdentityHttp({ ...environmentFor('google', 'http://127.0.0.1:9') });

  it('gives a page that says so, not an error of ours', async () => {
    const answer = await new TestBrowser(identity).get('/v1/auth/oauth/google');
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('Google cannot be reached at the moment');
  });
});

describe('Two callbacks of one new person in a race', () => {
  const { identity, fake, wayBack } = useOAuth({ DATABASE_POOL_SIZE: '4' });

  /**
   * Control: without the constraints `users_lower_email_key`, `user_identities_pkey` and `user_identities_user_id_key`
   * each makes an account. With them, but without entering the account that was made meanwhile, one of the two gets a 409.
   */
  it.each(['google', 'github'] as const)('make one account at %s, and both enter it', async (id) => {
    const person = aPerson();
    fake(id).person = person;
    const browsers = [new TestBrowser(identity), new TestBrowser(identity)];
    const backs = await Promise.all(browsers.map((browser) => wayBack(browser, id, '?acceptTerms=1.0')));
    // Both have found neither the person nor the address before one of them makes the account.
    const arrive = barrier(2);
    const { workspaces } = identity();
    const prepare = Object.getPrototypeOf(workspaces).prepare.bind(workspaces);
    workspaces.prepare = async () => {
      const prepared = await prepare();
      await arrive();
      return prepared;
    };
    const answers = await Promise.all(browsers.map((browser, at) => browser.get(backs[at] ?? '')));
    expect(answers.map(({ status }) => status)).toEqual([302, 302]);
    const [counts] = await identity().sql(
      `select (select count(*)::int from users where email = $1) as users,
              (select count(*)::int from user_identities where subject = $2) as identities`,
      [person.email, person.subject],
    );
    expect(counts).toEqual({ users: 1, identities: 1 });
    const ids = await Promise.all(browsers.map(async (browser) => (await meOf(identity, browser)).user.id));
    expect(new Set(ids).size).toBe(1);
  });

  /** Control: without looking again after the insert that found a conflict, one of the two gets a 409. */
  it('link one account whose address both have proven, and both enter it', async () => {
    const person = aPerson();
    fake('google').person = person;
    const account = await signedUp(identity, person.email, true);
    const browsers = [new TestBrowser(identity), new TestBrowser(identity)];
    const backs = await Promise.all(browsers.map((browser) => wayBack(browser, 'google')));
    // Both have looked for the person in vain before one of them links it.
    const arrive = barrier(2);
    const identities = identity().get(Identities);
    const match = identities.match.bind(identities);
    identities.match = async (...given) => {
      await arrive();
      return match(...given);
    };
    const answers = await Promise.all(browsers.map((browser, at) => browser.get(backs[at] ?? '')));
    expect(answers.map(({ status }) => status)).toEqual([302, 302]);
    for (const browser of browsers) expect((await meOf(identity, browser)).user.id).toBe(account.id);
  });
});
