import { randomUUID } from 'node:crypto';
import { barrier, recordedStatements } from '#platform/testing';
import { httpOf, signedUp, useIdentityHttp } from '../testing/http';
import { aSignUp, type IdentityApp } from '../testing/identity-app';

const SECOND_MS = 1_000;
const WRONG = 'wrong horse battery';

const signIn = (app: IdentityApp, email: string, password: string) =>
  httpOf(app).post('/v1/auth/sign-in', { email, password });

describe('Signing in', () => {
  const identity = useIdentityHttp();
  const someone = () => signedUp(identity());
  const nobody = () => `nobody-${randomUUID()}@example.com`;

  it('does the same statements for an unknown address, a wrong password and an account without one', async () => {
    const { email } = await someone();
    const passwordless = await someone();
    await identity().sql('update users set password_hash = null where id = $1', [passwordless.userId]);
    const asked = [];
    for (const address of [email, nobody(), passwordless.email]) {
      asked.push(await recordedStatements(() => signIn(identity(), address, WRONG)));
    }
    expect(asked[0]).toEqual([
      'take-from-rate-limit',
      'take-from-rate-limit',
      'find-user-by-email',
      'START TRANSACTION',
      'record-sign-in-attempt',
      'COMMIT',
    ]);
    expect(asked[1]).toEqual(asked[0]);
    expect(asked[2]).toEqual(asked[0]);
  });

  it('leaves a record of every attempt, of nobody when there is no such account', async () => {
    const { email, password, userId } = await someone();
    await identity().sql('delete from sign_in_attempts');
    await signIn(identity(), email.toUpperCase(), WRONG);
    await signIn(identity(), nobody(), WRONG);
    await signIn(identity(), email, password);
    const rows = await identity().sql(
      `select user_id, method, outcome, host(ip) as ip, at from sign_in_attempts order by id`,
    );
    const [ip, at, method] = ['127.0.0.1', identity().clock.now(), 'password'];
    expect(rows).toEqual([
      { user_id: userId, method, outcome: 'wrong_password', ip, at },
      { user_id: null, method, outcome: 'wrong_password', ip, at },
      { user_id: userId, method, outcome: 'succeeded', ip, at },
    ]);
  });

  it('is locked after ten wrong passwords, for an unknown address as well, until time has passed', async () => {
    const { email, password } = await someone();
    const { clock } = identity();
    for (const address of [email, nobody()]) {
      for (let at = 0; at < 10; at += 1) {
        const answer = await signIn(identity(), at % 2 ? address : address.toUpperCase(), WRONG);
        expect(answer.status).toBe(401);
        expect(answer.headers['ratelimit-policy']).toBe('"sign-in-ip";q=1000000;w=900, "sign-in";q=10;w=900');
        const left = `"sign-in";r=${9 - at};t=${90 * (at + 1) > 810 ? 90 : 90 * (at + 1)}`;
        expect(String(answer.headers['ratelimit'])).toContain(left);
      }
      const locked = await signIn(identity(), ` ${address} `, password);
      expect(locked).toMatchObject({
        status: 429,
        json: { code: 'request.too_many', limit: 'sign-in', allowed: 10, windowSeconds: 900 },
      });
      expect(locked.headers['retry-after']).toBe('90');
      expect(locked.json.detail).not.toContain(address);
    }
    clock.advance(90 * SECOND_MS - 1_000);
    expect((await signIn(identity(), email, password)).status).toBe(429);
    clock.advance(1_000);
    expect((await signIn(identity(), email, password)).status).toBe(200);
  });

  it('is whole again after a right password: nine wrong ones are possible before and after', async () => {
    const { email, password } = await someone();
    for (let round = 0; round < 2; round += 1) {
      for (let at = 0; at < 9; at += 1) expect((await signIn(identity(), email, WRONG)).status).toBe(401);
      expect((await signIn(identity(), email, password)).status).toBe(200);
    }
  });

  it('is unlocked by a new password', async () => {
    const { email } = await someone();
    for (let at = 0; at < 11; at += 1) await signIn(identity(), email, WRONG);
    await httpOf(identity()).post('/v1/auth/forgot-password', { email });
    const token = identity().mail.tokenFor(email, 'reset-password');
    const password = 'a mill beside the river';
    await httpOf(identity()).post('/v1/auth/reset-password', { token, password });
    expect((await signIn(identity(), email, password)).status).toBe(200);
  });
});

describe('Signing up', () => {
  const identity = useIdentityHttp();

  it('is tried ten times an hour with one address, in whatever letter case', async () => {
    const { email } = await signedUp(identity());
    const again = (address: string) => httpOf(identity()).post('/v1/auth/sign-up', aSignUp(address));
    for (let at = 1; at < 10; at += 1) expect((await again(email.toUpperCase())).status).toBe(409);
    expect(await again(email)).toMatchObject({ status: 429, json: { limit: 'sign-up', allowed: 10 } });
  });
});

describe('Signing in at two processes', () => {
  const PARALLEL = 24;
  const identity = useIdentityHttp({}, PARALLEL / 2);

  /** Control: with the budget taken after the password was checked, all 24 are checked. */
  it('checks exactly ten of many guesses at once', async () => {
    const { email } = await signedUp(identity());
    const apps = [identity(), await identity().another()];
    for (const { hasher } of apps) hasher.checked.length = 0;
    const arrive = barrier(PARALLEL);
    const answers = await Promise.all(
      Array.from({ length: PARALLEL }, async (_, at) => {
        await arrive();
        const [app = identity()] = apps.slice(at % 2);
        return signIn(app, email, WRONG);
      }),
    );
    const of = (wanted: number) => answers.filter(({ status }) => status === wanted);
    expect([of(401).length, of(429).length]).toEqual([10, PARALLEL - 10]);
    expect(apps.flatMap(({ hasher }) => hasher.checked)).toHaveLength(10);
  });
});

describe('Limits per client address', () => {
  const identity = useIdentityHttp({ RATE_LIMIT_SCALE: '1' });
  const address = () => `x-${randomUUID()}@example.com`;

  /** Posts until a request is refused for its client's address; says how many got through, and by which policy not. */
  async function untilRefused(url: string, body: () => object) {
    for (let passed = 0; passed < 200; passed += 1) {
      const { status, json, headers } = await httpOf(identity()).post(url, body());
      if (status === 429) return { passed, limit: json.limit, retryAfter: Number(headers['retry-after']) };
    }
    throw new Error(`Nothing limits ${url}.`);
  }

  it.each([
    {
      url: '/v1/auth/sign-in',
      body: () => ({ email: address(), password: WRONG }),
      passed: 100,
      limit: 'sign-in-ip',
      retryAfter: 9,
    },
    {
      url: '/v1/auth/sign-up',
      body: () => ({ email: address() }),
      passed: 20,
      limit: 'sign-up-ip',
      retryAfter: 180,
    },
    {
      url: '/v1/auth/forgot-password',
      body: () => ({ email: address() }),
      passed: 20,
      limit: 'mail-ip',
      retryAfter: 180,
    },
    // Shares the budget of the line above.
    {
      url: '/v1/auth/resend-verification',
      body: () => ({ email: address() }),
      passed: 0,
      limit: 'mail-ip',
      retryAfter: 180,
    },
    {
      url: '/v1/auth/waitlist',
      body: () => ({ email: address() }),
      passed: 20,
      limit: 'waitlist-ip',
      retryAfter: 180,
    },
    {
      url: '/v1/auth/verify-email',
      body: () => ({ token: 'x' }),
      passed: 60,
      limit: 'token-ip',
      retryAfter: 15,
    },
    {
      url: '/v1/auth/reset-password',
      body: () => ({ token: 'x' }),
      passed: 0,
      limit: 'token-ip',
      retryAfter: 15,
    },
  ])('hold $url', async ({ url, body, ...expected }) => {
    expect(await untilRefused(url, body)).toEqual(expected);
  });

  it('are told on a page to who pressed the button of one', async () => {
    const press = () =>
      identity().app.inject({
        method: 'POST',
        url: '/verify-email',
        remoteAddress: '198.51.100.9',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: 'token=',
      });
    for (let pressed = 0; pressed < 60; pressed += 1) expect((await press()).statusCode).toBe(200);
    const refused = await press();
    expect(refused.statusCode).toBe(429);
    expect(refused.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'retry-after': '15',
    });
    expect(refused.body).toContain('<h1>Too many requests</h1>');
  });
});
