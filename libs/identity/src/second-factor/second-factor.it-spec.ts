import { randomUUID } from 'node:crypto';
import { generateSync } from 'otplib';
import { barrier } from '#platform/testing';
import { SignIn } from '../auth/sign-in.service';
import { useIdentityHttp } from '../testing/http';
import { aSignUp, CLIENT, type IdentityApp } from '../testing/identity-app';
import { SecondFactors } from './second-factors.service';
import { SecondFactorSignIn } from './second-factor-sign-in.service';

const STEP_MS = 30_000;
const MINUTE_MS = 60_000;

function caller(identity: () => IdentityApp) {
  const call = async (method: 'GET' | 'POST', url: string, more: { body?: object; token?: string } = {}) => {
    const { body, token } = more;
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await identity().app.inject({ method, url, headers, ...(body ? { payload: body } : {}) });
    return {
      status: answer.statusCode,
      headers: answer.headers,
      json: answer.body === '' ? null : answer.json(),
    };
  };
  const codeOf = (secret: string, ahead = 0) =>
    generateSync({ secret, epoch: identity().clock.now().getTime() / 1000 + ahead * 30 });

  async function someone() {
    const body = aSignUp(`ada-${randomUUID()}@example.com`);
    const { json } = await call('POST', '/v1/auth/sign-up', { body });
    return {
      email: body.email,
      password: body.password,
      token: String(json.token),
      id: String(json.user.id),
      mailed: identity().mail.tokenFor(body.email),
    };
  }

  /** Somebody with a second factor. The code that switched it on is used, so time goes on by a step. */
  async function withFactor() {
    const person = await someone();
    const { token, password } = person;
    const begun = await call('POST', '/v1/me/two-factor', { token, body: { password } });
    const secret = String(begun.json.secret);
    const enabled = await call('POST', '/v1/me/two-factor/enable', { token, body: { code: codeOf(secret) } });
    expect(enabled.status).toBe(200);
    identity().clock.advance(STEP_MS);
    const recoveryCodes: readonly string[] = enabled.json.recoveryCodes;
    return { ...person, secret, recoveryCodes };
  }

  async function challengeFor({ email, password }: { email: string; password: string }, rememberMe = false) {
    const answer = await call('POST', '/v1/auth/sign-in', { body: { email, password, rememberMe } });
    expect(answer).toMatchObject({ status: 200, json: { status: 'second_factor_required' } });
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(Object.keys(answer.json)).toEqual(['status', 'challenge', 'expiresAt']);
    return String(answer.json.challenge);
  }

  const complete = (challenge: string, code: string) =>
    call('POST', '/v1/auth/sign-in/second-factor', { body: { challenge, code } });

  return { call, codeOf, someone, withFactor, challengeFor, complete };
}

describe('A second factor', () => {
  const identity = useIdentityHttp();
  const { call, codeOf, someone, withFactor, challengeFor, complete } = caller(identity);

  const attemptsOf = (userId: string) =>
    identity().sql('select method, outcome from sign_in_attempts where user_id = $1 order by id', [userId]);

  it('is off, begun, on: it counts once a code of it was seen', async () => {
    const { token, password, email } = await someone();
    const state = () => call('GET', '/v1/me/two-factor', { token });
    expect((await state()).json).toEqual({ enabled: false, recoveryCodesLeft: 0 });
    const begun = await call('POST', '/v1/me/two-factor', { token, body: { password } });
    expect(begun.status).toBe(201);
    expect(begun.json.otpauthUrl).toContain(`secret=${begun.json.secret}`);
    // Begun is not on: signing in asks for nothing yet.
    const between = await call('POST', '/v1/auth/sign-in', { body: { email, password } });
    expect(between.json.status).toBe('signed_in');
    // Beginning again makes another secret: codes of the first are worth nothing.
    const again = await call('POST', '/v1/me/two-factor', { token, body: { password } });
    const enable = (secret: string) =>
      call('POST', '/v1/me/two-factor/enable', { token, body: { code: codeOf(secret) } });
    expect(await enable(begun.json.secret)).toMatchObject({
      status: 403,
      json: { code: 'identity.wrong_code' },
    });
    const enabled = await enable(again.json.secret);
    expect(enabled.json.recoveryCodes).toHaveLength(10);
    expect((await state()).json).toEqual({ enabled: true, recoveryCodesLeft: 10 });
    expect(identity().mail.sent.at(-1)).toMatchObject({
      to: email,
      subject: 'Two-factor authentication is on',
    });
    // The session of before went without a second factor; the one that switched it on stays.
    expect((await call('GET', '/v1/me', { token: between.json.token })).status).toBe(401);
    for (const path of ['', '/enable']) {
      const body = path === '' ? { password } : { code: '123456' };
      expect(await call('POST', `/v1/me/two-factor${path}`, { token, body })).toMatchObject({
        status: 409,
        json: { code: 'identity.second_factor_on' },
      });
    }
  });

  it('asks for the password first, and tells of a wrong one ten times', async () => {
    const { token, password } = await someone();
    const begin = (body: object) => call('POST', '/v1/me/two-factor', { token, body });
    expect(await begin({})).toMatchObject({ status: 403, json: { code: 'identity.wrong_password' } });
    for (let wrong = 0; wrong < 9; wrong += 1) expect((await begin({ password: 'wrong' })).status).toBe(403);
    expect(await begin({ password })).toMatchObject({ status: 429, json: { limit: 'password-check' } });
    identity().clock.advance(15 * MINUTE_MS);
    expect((await begin({ password })).status).toBe(201);
  });

  it('asks people without a password for a session that has just begun', async () => {
    const { token, id } = await someone();
    await identity().sql('update users set password_hash = null where id = $1', [id]);
    const begin = () => call('POST', '/v1/me/two-factor', { token, body: {} });
    expect((await begin()).status).toBe(201);
    identity().clock.advance(16 * MINUTE_MS);
    expect(await begin()).toMatchObject({ status: 403, json: { code: 'identity.session_not_fresh' } });
  });

  it('cannot be switched on before it was begun, or changed while it is off', async () => {
    const { token, password } = await someone();
    for (const [path, more] of [
      ['enable', {}],
      ['recovery-codes', {}],
      ['disable', { password }],
    ] as const) {
      const body = { code: '123456', ...more };
      expect(await call('POST', `/v1/me/two-factor/${path}`, { token, body })).toMatchObject({
        status: 409,
        json: { code: 'identity.second_factor_off' },
      });
    }
  });

  it('is asked for after the password: no session before, one after, as long as was wished', async () => {
    const person = await withFactor();
    const challenge = await challengeFor(person, true);
    expect((await call('GET', '/v1/me', { token: challenge })).status).toBe(401);
    const answer = await complete(challenge, codeOf(person.secret));
    expect(answer).toMatchObject({
      status: 200,
      json: { status: 'signed_in', user: { email: person.email } },
    });
    const days =
      (Date.parse(answer.json.expiresAt) - identity().clock.now().getTime()) / (24 * 60 * MINUTE_MS);
    expect(days).toBe(30);
    expect(String(answer.headers['set-cookie'])).toContain('millrace_session=');
    expect((await call('GET', '/v1/me', { token: answer.json.token })).status).toBe(200);
    expect((await attemptsOf(person.id)).at(-1)).toEqual({ method: 'password', outcome: 'succeeded' });
  });

  it('takes a code once, also by another challenge, and no earlier one after it', async () => {
    const person = await withFactor();
    const [one, other] = [await challengeFor(person), await challengeFor(person)];
    const next = codeOf(person.secret, 1);
    expect((await complete(one, next)).status).toBe(200);
    for (const code of [next, codeOf(person.secret, 0)]) {
      expect(await complete(other, code)).toMatchObject({
        status: 403,
        json: { code: 'identity.wrong_code' },
      });
    }
    identity().clock.advance(2 * STEP_MS);
    expect((await complete(other, codeOf(person.secret))).status).toBe(200);
  });

  it('keeps the challenge after a wrong code, uses it up with a right one, and records both', async () => {
    const person = await withFactor();
    const challenge = await challengeFor(person);
    expect((await complete(challenge, '000000')).status).toBe(403);
    expect((await complete(challenge, 'no code at all')).status).toBe(403);
    expect((await complete(challenge, codeOf(person.secret))).status).toBe(200);
    identity().clock.advance(STEP_MS);
    const again = await complete(challenge, codeOf(person.secret));
    expect(again).toMatchObject({ status: 401, json: { code: 'identity.challenge_invalid' } });
    expect((await attemptsOf(person.id)).slice(-3)).toEqual([
      { method: 'password', outcome: 'wrong_code' },
      { method: 'password', outcome: 'wrong_code' },
      { method: 'password', outcome: 'succeeded' },
    ]);
    // The code that came too late was not lost with it.
    expect((await complete(await challengeFor(person), codeOf(person.secret))).status).toBe(200);
  });

  it('lets nobody in by an old, unknown or other token for a challenge', async () => {
    const person = await withFactor();
    const challenge = await challengeFor(person);
    for (const token of ['nonsense', 'A'.repeat(43), person.token, person.mailed]) {
      expect((await complete(token, codeOf(person.secret))).status).toBe(401);
    }
    identity().clock.advance(10 * MINUTE_MS);
    expect((await complete(challenge, codeOf(person.secret))).status).toBe(401);
  });

  it('takes five guesses, whatever challenges they come with, until time or a right code brings more', async () => {
    const person = await withFactor();
    for (let guess = 0; guess < 5; guess += 1) {
      expect((await complete(await challengeFor(person), '000000')).status).toBe(403);
    }
    const refused = await complete(await challengeFor(person), codeOf(person.secret));
    expect(refused).toMatchObject({ status: 429, json: { limit: 'second-factor' } });
    expect(refused.headers['retry-after']).toBe('180');
    identity().clock.advance(3 * MINUTE_MS);
    expect((await complete(await challengeFor(person), codeOf(person.secret))).status).toBe(200);
    for (let guess = 0; guess < 5; guess += 1) {
      expect((await complete(await challengeFor(person), '000000')).status).toBe(403);
    }
  });

  it('takes each recovery code once, and new ones kill the old', async () => {
    const person = await withFactor();
    const { token, recoveryCodes } = person;
    const [first = '', second = ''] = recoveryCodes;
    const left = async () => (await call('GET', '/v1/me/two-factor', { token })).json.recoveryCodesLeft;
    expect((await complete(await challengeFor(person), first.toUpperCase())).status).toBe(200);
    expect(await left()).toBe(9);
    const mail = identity().mail.sent.at(-1);
    expect(mail).toMatchObject({ to: person.email, subject: 'A recovery code was used to sign in' });
    expect(mail?.text).toContain('9 of them are left.');
    expect((await complete(await challengeFor(person), first)).status).toBe(403);
    const body = { code: codeOf(person.secret) };
    const renewed = await call('POST', '/v1/me/two-factor/recovery-codes', { token, body });
    expect(renewed.json.recoveryCodes).toHaveLength(10);
    expect(await left()).toBe(10);
    expect((await complete(await challengeFor(person), second)).status).toBe(403);
    expect((await complete(await challengeFor(person), renewed.json.recoveryCodes[9])).status).toBe(200);
  });

  it('is no good to another person', async () => {
    const [ada, eve] = [await withFactor(), await withFactor()];
    for (const code of [codeOf(eve.secret), eve.recoveryCodes[0] ?? '']) {
      expect((await complete(await challengeFor(ada), code)).status).toBe(403);
    }
    // A secret that was moved into another's row does not open there.
    await identity().sql(
      `update user_second_factors set secret = (select secret from user_second_factors where user_id = $1)
        where user_id = $2`,
      [eve.id, ada.id],
    );
    const answer = await complete(await challengeFor(ada), codeOf(eve.secret));
    expect(answer.status).toBe(500);
  });

  it('is switched off with a code and the password, and with it everything that waited for a code', async () => {
    const person = await withFactor();
    const { token, password, email } = person;
    const waiting = await challengeFor(person);
    const disable = (body: object) => call('POST', '/v1/me/two-factor/disable', { token, body });
    expect((await disable({ code: codeOf(person.secret) })).status).toBe(403);
    expect((await disable({ code: '000000', password })).status).toBe(403);
    expect((await disable({ code: person.recoveryCodes[0] ?? '', password })).status).toBe(204);
    expect(identity().mail.sent.at(-1)).toMatchObject({
      to: email,
      subject: 'Two-factor authentication is off',
    });
    expect((await call('GET', '/v1/me/two-factor', { token })).json).toEqual({
      enabled: false,
      recoveryCodesLeft: 0,
    });
    expect((await complete(waiting, codeOf(person.secret))).status).toBe(401);
    const signedIn = await call('POST', '/v1/auth/sign-in', { body: { email, password } });
    expect(signedIn.json.status).toBe('signed_in');
  });

  it('stays on when the password is reset, and sign-ins that began with the old one are over', async () => {
    const person = await withFactor();
    const waiting = await challengeFor(person);
    await call('POST', '/v1/auth/forgot-password', { body: { email: person.email } });
    const token = /reset-password\?token=([\w-]+)/.exec(identity().mail.sent.at(-1)?.text ?? '')?.[1] ?? '';
    const password = 'another battery staple';
    const reset = await call('POST', '/v1/auth/reset-password', { body: { token, password } });
    expect(reset.status).toBe(204);
    expect((await complete(waiting, codeOf(person.secret))).status).toBe(401);
    const challenge = await challengeFor({ ...person, password });
    expect((await complete(challenge, codeOf(person.secret))).status).toBe(200);
  });

  it('leaves neither secret nor codes in the database', async () => {
    const { secret, recoveryCodes, id } = await withFactor();
    const rows = await identity().sql<{ row: string }>(
      `select f::text as row from user_second_factors f where user_id = $1
       union all select c::text from user_recovery_codes c where user_id = $1`,
      [id],
    );
    expect(rows).toHaveLength(11);
    const dump = rows.map(({ row }) => row).join('\n');
    for (const text of [secret, ...recoveryCodes, ...recoveryCodes.map((code) => code.replaceAll('-', ''))]) {
      expect(dump).not.toContain(text);
      expect(dump).not.toContain(Buffer.from(text).toString('hex'));
    }
  });
});

describe('A code in a race', () => {
  const PARALLEL = 10;
  const identity = useIdentityHttp({ DATABASE_POOL_SIZE: String(PARALLEL) });
  const { codeOf, withFactor } = caller(identity);

  /** Ten sign-ins, each with a challenge of its own, that give one code at the same time. Guesses are not limited here. */
  async function tenWith(codeFor: (person: Awaited<ReturnType<typeof withFactor>>) => string) {
    const person = await withFactor();
    const signIn = {
      userId: person.id,
      passwordHash: null,
      remember: false,
      client: CLIENT,
      method: 'password',
    } as const;
    const results = await Promise.all(
      Array.from({ length: PARALLEL }, () => identity().get(SignIn).signIn(signIn)),
    );
    const challenges = results.map((result) =>
      result.status === 'second_factor_required' ? result.challenge.token : '',
    );
    const arrive = barrier(PARALLEL);
    const factors = identity().get(SecondFactors);
    factors.countGuess = async () => undefined;
    // All ten are in their transactions, with a connection each, before the first of them looks at the code.
    const take = SecondFactors.prototype.take.bind(factors);
    factors.take = async (...given) => {
      await arrive();
      return take(...given);
    };
    const code = codeFor(person);
    const outcomes = await Promise.allSettled(
      challenges.map((challenge) =>
        identity().get(SecondFactorSignIn).complete({ challenge, code, client: CLIENT }),
      ),
    );
    const [sessions] = await identity().sql<{ count: number }>(
      'select count(*)::int as count from sessions where user_id = $1',
      [person.id],
    );
    // One more is the session that switched the second factor on.
    return {
      fulfilled: outcomes.filter(({ status }) => status === 'fulfilled').length,
      sessions: (sessions?.count ?? 0) - 1,
    };
  }

  /** Control: without `last_step < $3` in `take-second-factor-step`, all ten begin a session. */
  it('begins one session of ten with one code of the app', async () => {
    const outcome = await tenWith(({ secret }) => codeOf(secret));
    expect(outcome).toEqual({ fulfilled: 1, sessions: 1 });
  });

  /** Control: without `used_at is null` in `take-recovery-code`, all ten begin a session. */
  it('begins one session of ten with one recovery code', async () => {
    const outcome = await tenWith(({ recoveryCodes }) => recoveryCodes[0] ?? '');
    expect(outcome).toEqual({ fulfilled: 1, sessions: 1 });
  });

  /** Control: when `complete` does not look at what `use` says of the challenge, both begin a session. */
  it('uses a challenge up once, although two different codes are right', async () => {
    const person = await withFactor();
    const signIn = {
      userId: person.id,
      passwordHash: null,
      remember: false,
      client: CLIENT,
      method: 'password',
    } as const;
    const result = await identity().get(SignIn).signIn(signIn);
    const challenge = result.status === 'second_factor_required' ? result.challenge.token : '';
    const arrive = barrier(2);
    const factors = identity().get(SecondFactors);
    const take = SecondFactors.prototype.take.bind(factors);
    factors.take = async (...given) => {
      const taken = await take(...given);
      await arrive();
      return taken;
    };
    const outcomes = await Promise.allSettled(
      person.recoveryCodes
        .slice(0, 2)
        .map((code) => identity().get(SecondFactorSignIn).complete({ challenge, code, client: CLIENT })),
    );
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    // What the loser had taken is given back with its transaction.
    const { recoveryCodesLeft } = await factors.state(person.id);
    expect(recoveryCodesLeft).toBe(9);
  });
});
