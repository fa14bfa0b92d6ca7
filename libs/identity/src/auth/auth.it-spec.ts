import { randomUUID } from 'node:crypto';
import { buildOpenApi } from '#platform';
import { SESSION_COOKIE } from '../sessions/session-cookie';
import { useIdentityHttp } from '../testing/http';
import { aSignUp } from '../testing/identity-app';
import type { SignedIn } from './auth.dto';
import type { Me } from '../profile/me.dto';

const MINUTE_MS = 60_000;

describe('Identity over HTTP', () => {
  const identity = useIdentityHttp();
  type Method = 'GET' | 'POST' | 'DELETE';

  async function call(
    method: Method,
    url: string,
    more: { body?: object; headers?: Record<string, string> } = {},
  ) {
    const { body, headers = {} } = more;
    const answer = await identity().app.inject({ method, url, headers, ...(body ? { payload: body } : {}) });
    const isJson = String(answer.headers['content-type']).includes('json');
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.body,
      json: isJson ? answer.json() : null,
    };
  }
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  async function someone() {
    const body = aSignUp(`ada-${randomUUID()}@example.com`);
    const answer = await call('POST', '/v1/auth/sign-up', { body });
    const { token, user }: SignedIn = answer.json;
    const workspaceId = identity().workspaces.created.at(-1)?.id ?? '';
    return { ...body, answer, token, user, workspaceId };
  }

  it('signs up, and in with it: the token works as a bearer and as a cookie', async () => {
    const { answer, token, user, email } = await someone();
    expect(answer.status).toBe(201);
    expect(Object.keys(answer.json)).toEqual(['status', 'user', 'token', 'expiresAt']);
    expect(user).toMatchObject({ email, emailVerified: false });
    const cookie = String(answer.headers['set-cookie']);
    expect(cookie).toMatch(
      /^millrace_session=[\w-]{43}; Path=\/; Expires=Mon, 12 Jan 2026 .*; HttpOnly; SameSite=Lax$/,
    );
    for (const headers of [bearer(token), { cookie: `millrace_session=${token}` }]) {
      const me = await call('GET', '/v1/me', { headers });
      expect(me.json).toMatchObject({ kind: 'user', user: { email }, workspaces: [{ role: 'owner' }] });
    }
  });

  it('tells nobody anything without credentials, or with wrong ones', async () => {
    const { token } = await someone();
    const tries: readonly Record<string, string>[] = [
      {},
      bearer('nonsense'),
      bearer('A'.repeat(43)),
      { authorization: `Basic ${token}` },
      { authorization: 'Bearer' },
      { cookie: 'millrace_session=' },
      { cookie: `other=${token}` },
      // A wrong header is not made up for by a good cookie.
      { ...bearer('nonsense'), cookie: `millrace_session=${token}` },
    ];
    for (const headers of tries) {
      const answer = await call('GET', '/v1/me', { headers });
      expect(answer).toMatchObject({ status: 401, json: { code: 'request.unauthenticated' } });
    }
  });

  it('refuses a body that chooses what is not the client’s to choose', async () => {
    const body = { ...aSignUp(`eve-${randomUUID()}@example.com`), provider: 'github', emailVerified: true };
    const answer = await call('POST', '/v1/auth/sign-up', { body });
    expect(answer.status).toBe(400);
    const pointers = answer.json.errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(pointers).toEqual(['/provider', '/emailVerified']);
  });

  it('answers 409 for an address that has an account', async () => {
    const { email } = await someone();
    const answer = await call('POST', '/v1/auth/sign-up', { body: aSignUp(email.toUpperCase()) });
    expect(answer).toMatchObject({ status: 409, json: { code: 'identity.email_taken' } });
  });

  it('signs in for 7 days, or 30 when asked to remember', async () => {
    const { email, password } = await someone();
    const short = await call('POST', '/v1/auth/sign-in', {
      body: { email: ` ${email.toUpperCase()}`, password },
    });
    expect(short).toMatchObject({
      status: 200,
      json: { user: { email }, expiresAt: '2026-01-12T12:00:00.000Z' },
    });
    const long = await call('POST', '/v1/auth/sign-in', { body: { email, password, rememberMe: true } });
    expect(long.json.expiresAt).toBe('2026-02-04T12:00:00.000Z');
    expect(String(long.headers['set-cookie'])).toContain('Expires=Wed, 04 Feb 2026');
    expect((await call('GET', '/v1/me', { headers: bearer(long.json.token) })).status).toBe(200);
  });

  it('gives one and the same answer for an unknown address and a wrong password', async () => {
    const { email } = await someone();
    const wrong = await call('POST', '/v1/auth/sign-in', { body: { email, password: 'wrong horse' } });
    const unknown = await call('POST', '/v1/auth/sign-in', {
      body: { email: `nobody-${randomUUID()}@example.com`, password: 'wrong horse' },
    });
    expect(wrong).toMatchObject({ status: 401, json: { code: 'identity.bad_credentials' } });
    const { requestId: _one, ...wrongAnswer } = wrong.json;
    const { requestId: _other, ...unknownAnswer } = unknown.json;
    expect(unknownAnswer).toEqual(wrongAnswer);
    expect(unknown.headers['set-cookie']).toBeUndefined();
  });

  it.each([
    ['an array', []],
    ['no password', { email: 'ada@example.com' }],
    ['an object for a password', { email: 'ada@example.com', password: { $ne: null } }],
    ['an unknown key', { email: 'ada@example.com', password: 'x', admin: true }],
  ])('refuses to sign in by %s with a 400', async (_, body) => {
    const answer = await call('POST', '/v1/auth/sign-in', { body });
    expect(answer).toMatchObject({ status: 400, json: { code: 'request.invalid' } });
  });

  it('does not take credentials out of the address', async () => {
    const { email, password } = await someone();
    const query = new URLSearchParams({ email, password }).toString();
    const answer = await call('POST', `/v1/auth/sign-in?${query}`, { body: {} });
    expect(answer.status).toBe(400);
  });

  it('signs out: the token is worth nothing any more and the cookie is taken back', async () => {
    const { token } = await someone();
    const answer = await call('POST', '/v1/auth/sign-out', { headers: bearer(token) });
    expect(answer.status).toBe(204);
    expect(String(answer.headers['set-cookie'])).toContain('Expires=Thu, 01 Jan 1970');
    expect((await call('GET', '/v1/me', { headers: bearer(token) })).status).toBe(401);
  });

  it('does not let another site’s page sign out a browser', async () => {
    const { token } = await someone();
    const headers = { cookie: `millrace_session=${token}`, 'sec-fetch-site': 'cross-site' };
    expect((await call('POST', '/v1/auth/sign-out', { headers })).status).toBe(403);
    expect((await call('GET', '/v1/me', { headers: bearer(token) })).status).toBe(200);
  });

  it('verifies an address by JSON, once', async () => {
    const { email, token } = await someone();
    const body = { token: identity().mail.tokenFor(email) };
    const answer = await call('POST', '/v1/auth/verify-email', { body });
    expect(answer).toMatchObject({ status: 200, json: { email, emailVerified: true } });
    expect((await call('GET', '/v1/me', { headers: bearer(token) })).json.user.emailVerified).toBe(true);
    const again = await call('POST', '/v1/auth/verify-email', { body });
    expect(again).toMatchObject({ status: 400, json: { code: 'identity.verification_invalid' } });
  });

  it('verifies an address by the page of the link: opening it uses nothing, its button does', async () => {
    const { email, token } = await someone();
    const mailed = identity().mail.tokenFor(email);
    for (let opened = 0; opened < 3; opened += 1) {
      const page = await call('GET', `/verify-email?token=${mailed}`);
      expect(page.status).toBe(200);
      expect(page.headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'referrer-policy': 'same-origin',
      });
      expect(page.text).toContain(`<input type="hidden" name="token" value="${mailed}">`);
      expect(page.text).toContain('<form method="post" action="/verify-email">');
    }
    expect((await call('GET', '/v1/me', { headers: bearer(token) })).json.user.emailVerified).toBe(false);
    const press = () =>
      identity().app.inject({
        method: 'POST',
        url: '/verify-email',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: `token=${mailed}`,
      });
    expect((await press()).body).toContain('Your e-mail address is confirmed');
    expect((await call('GET', '/v1/me', { headers: bearer(token) })).json.user.emailVerified).toBe(true);
    expect((await press()).body).toContain('This link does not work');
  });

  it.each(['', '?token=', '?token=%3Cscript%3E', '?token=a&token=b', '?token[x]=1'])(
    'shows a page for the broken link %j, and nothing of it',
    async (query) => {
      const page = await call('GET', `/verify-email${query}`);
      expect(page.status).toBe(200);
      expect(page.text).toContain('The link is not complete');
      expect(page.text).not.toContain('script');
    },
  );

  it('gives a workspace keys: made, used, listed, revoked', async () => {
    const { token, workspaceId } = await someone();
    const url = `/v1/workspaces/${workspaceId}/api-keys`;
    const body = { name: 'CI', role: 'admin' };
    const created = await call('POST', url, { headers: bearer(token), body });
    expect(created.status).toBe(201);
    const { key, apiKey } = created.json;
    const me: Me = (await call('GET', '/v1/me', { headers: bearer(key) })).json;
    expect(me).toMatchObject({ kind: 'api_key', apiKey: { id: apiKey.id, workspaceId, role: 'admin' } });
    const list = await call('GET', `${url}?limit=1`, { headers: bearer(key) });
    expect(list.json).toMatchObject({ data: [{ id: apiKey.id }], hasMore: false });
    expect(list.text).not.toContain(key);
    // A key makes no keys.
    expect((await call('POST', url, { headers: bearer(key), body })).status).toBe(403);
    expect((await call('DELETE', `${url}/${apiKey.id}`, { headers: bearer(token) })).status).toBe(204);
    expect((await call('GET', '/v1/me', { headers: bearer(key) })).status).toBe(401);
  });

  it('answers 404 for keys of others and 400 for what is no id', async () => {
    const mine = await someone();
    const theirs = await someone();
    const headers = bearer(mine.token);
    const foreign = `/v1/workspaces/${theirs.workspaceId}/api-keys`;
    const own = `/v1/workspaces/${mine.workspaceId}/api-keys`;
    expect((await call('GET', foreign, { headers })).status).toBe(404);
    expect((await call('DELETE', `${own}/${randomUUID()}`, { headers })).status).toBe(404);
    expect((await call('DELETE', `${own}/nonsense`, { headers })).status).toBe(400);
    expect((await call('GET', `${own}?cursor=nonsense`, { headers })).status).toBe(400);
    const emperor = { name: 'CI', role: 'emperor' };
    expect(await call('POST', own, { headers, body: emperor })).toMatchObject({
      status: 400,
      json: { errors: [{ pointer: '/role' }] },
    });
  });

  it('describes its routes, the pages for browsers left out', () => {
    const { paths, components } = buildOpenApi(identity().app, { sessionCookie: SESSION_COOKIE });
    // The list itself is openapi.json, which is committed and compared.
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/v1/auth/sign-up', '/v1/me', '/v1/me/sessions']),
    );
    expect(
      Object.keys(paths).filter((path) => /^\/(verify-email|reset-password|delete-account)/.test(path)),
    ).toEqual([]);
    const described = [
      'SignUp',
      'SignIn',
      'SignedIn',
      'SecondFactorRequired',
      'UserView',
      'VerifyEmail',
      'Me',
      'CreatedApiKey',
      'ApiKeyViewPage',
    ];
    expect(Object.keys(components?.schemas ?? {})).toEqual(expect.arrayContaining(described));
  });

  it('keeps none of the secrets it hands out', async () => {
    const { token, password, email, workspaceId } = await someone();
    const signedIn = await call('POST', '/v1/auth/sign-in', { body: { email, password } });
    const created = await call('POST', `/v1/workspaces/${workspaceId}/api-keys`, {
      headers: bearer(token),
      body: { name: 'CI', role: 'member' },
    });
    identity().clock.advance(MINUTE_MS);
    await call('GET', '/v1/me', { headers: bearer(token) });
    await call('GET', '/v1/me', { headers: bearer(created.json.key) });
    await call('POST', '/v1/auth/forgot-password', { body: { email } });
    const secrets: string[] = [
      password,
      identity().mail.tokenFor(email, 'reset-password'),
      token,
      signedIn.json.token,
      identity().mail.tokenFor(email),
      created.json.key,
      String(created.json.key).slice(-43),
    ];
    const dump = await dumpOf(identity().sql);
    // The dump is worth looking at: it holds what is no secret.
    expect(dump).toContain(email);
    expect(dump).toContain(created.json.apiKey.id);
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThanOrEqual(10);
      for (const form of [
        secret,
        Buffer.from(secret).toString('hex'),
        Buffer.from(secret).toString('base64'),
      ]) {
        expect(dump).not.toContain(form);
      }
      // A token's own bytes, which a bytea column would show in hexadecimal.
      expect(dump).not.toContain(Buffer.from(secret, 'base64url').toString('hex'));
    }
  });
});

describe('Identity behind TLS', () => {
  const identity = useIdentityHttp({ PUBLIC_URL: 'https://app.example.com' });

  it('keeps the cookie to TLS and mails links to the public address', async () => {
    const body = aSignUp(`ada-${randomUUID()}@example.com`);
    const answer = await identity().app.inject({ method: 'POST', url: '/v1/auth/sign-up', payload: body });
    expect(String(answer.headers['set-cookie'])).toMatch(/; Secure$/);
    expect(identity().mail.sent.at(-1)?.text).toContain('https://app.example.com/verify-email?token=');
  });
});

/** Every row of every table of the control schema as text: identity's own, the outbox and whatever else there is. */
async function dumpOf(sql: <R>(text: string) => Promise<R[]>): Promise<string> {
  const tables = await sql<{ name: string }>(
    `select quote_ident(tablename) as name from pg_tables where schemaname = 'control'`,
  );
  const rows: string[] = [];
  for (const { name } of tables) {
    const found = await sql<{ row: string }>(`select t::text as row from control.${name} t`);
    rows.push(...found.map(({ row }) => row));
  }
  return rows.join('\n');
}
