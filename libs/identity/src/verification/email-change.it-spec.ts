import { randomUUID } from 'node:crypto';
import { barrier, eventually, recordedStatements, Signal } from '#platform/testing';
import { httpOf, signedUp, useIdentityHttp } from '../testing/http';
import { UserTokens } from '../tokens/user-tokens.service';
import { Credentials } from '../users/credentials.service';

const HOUR_MS = 60 * 60_000;

describe('Another e-mail address', () => {
  const identity = useIdentityHttp({}, 6);
  const http = () => httpOf(identity());

  async function someone() {
    const account = await signedUp(identity());
    const move = (email: string, password: string = account.password) =>
      http().post('/v1/me/email', { email, password }, { as: account.token });
    const current = async () => (await http().get('/v1/me', { as: account.token })).json.user;
    return { ...account, move, current };
  }
  const fresh = () => `New-${randomUUID()}@Example.com`;
  const use = (token: string) => http().post('/v1/auth/verify-email', { token });

  it('is taken on when its mailbox has proven itself, and the old one is told', async () => {
    const { email, password, move, current } = await someone();
    const moved = fresh();
    expect((await move(moved)).status).toBe(202);
    expect(await current()).toMatchObject({ email, emailVerified: false });
    expect(identity().mail.subjectsTo(moved)).toEqual(['Confirm your new e-mail address']);
    expect(await use(identity().mail.tokenFor(moved))).toMatchObject({ status: 200, json: { email: moved } });
    expect(await current()).toMatchObject({ email: moved, emailVerified: true });
    expect(identity().mail.subjectsTo(email).at(-1)).toBe('Your e-mail address was changed');
    expect((await http().post('/v1/auth/sign-in', { email, password })).status).toBe(401);
    expect((await http().post('/v1/auth/sign-in', { email: moved, password })).status).toBe(200);
  });

  it('is not taken on without the password', async () => {
    const { move } = await someone();
    const moved = fresh();
    expect(await move(moved, 'wrong horse battery')).toMatchObject({
      status: 403,
      json: { code: 'identity.wrong_password', errors: [{ pointer: '/password' }] },
    });
    expect(identity().mail.subjectsTo(moved)).toEqual([]);
  });

  it('makes whatever was mailed before worthless, to the old address as to others', async () => {
    const { email, move, current } = await someone();
    const [first, second] = [fresh(), fresh()];
    await move(first);
    await move(second);
    await http().post('/v1/auth/forgot-password', { email });
    await use(identity().mail.tokenFor(second));
    for (const address of [email, first]) {
      expect(await use(identity().mail.tokenFor(address))).toMatchObject({
        status: 400,
        json: { code: 'identity.verification_invalid' },
      });
    }
    const token = identity().mail.tokenFor(email, 'reset-password');
    const reset = await http().post('/v1/auth/reset-password', {
      token,
      password: 'a mill beside the river',
    });
    expect(reset).toMatchObject({ status: 400, json: { code: 'identity.reset_invalid' } });
    expect(await current()).toMatchObject({ email: second });
  });

  it('that has an account is answered alike, and its owner is told instead', async () => {
    const { move } = await someone();
    const owner = await signedUp(identity());
    const free = fresh();
    const [taken, unknown] = [await move(owner.email.toUpperCase()), await move(free)];
    expect(taken.status).toBe(202);
    expect(unknown.text).toBe(taken.text);
    expect(identity().mail.subjectsTo(owner.email.toUpperCase())).toEqual([
      'Your e-mail address has an account already',
    ]);
    const differing = ['issue-user-token'];
    const [forTaken, forFree] = [
      await recordedStatements(() => move(owner.email)),
      await recordedStatements(() => move(fresh())),
    ];
    expect(forFree.filter((name) => !differing.includes(name))).toEqual(forTaken);
  });

  it('can be the same one in other letters, which stays verified', async () => {
    const { email, move, current } = await someone();
    await use(identity().mail.tokenFor(email));
    await move(email.toUpperCase());
    await use(identity().mail.tokenFor(email.toUpperCase()));
    expect(await current()).toMatchObject({ email: email.toUpperCase(), emailVerified: true });
    expect(identity().mail.subjectsTo(email)).not.toContain('Your e-mail address was changed');
  });

  /** Control: with `drop index users_lower_email_key` both have the address. */
  it('goes to one of two who prove it at a time', async () => {
    const people = [await someone(), await someone()];
    const wanted = fresh();
    const tokens: string[] = [];
    for (const { move } of people) {
      await move(wanted);
      tokens.push(identity().mail.tokenFor(wanted));
    }
    const arrive = barrier(2);
    const answers = await Promise.all(
      tokens.map(async (token) => {
        await arrive();
        return use(token);
      }),
    );
    const codes = answers.map(({ status, json }): unknown => (status === 200 ? 'won' : json.code));
    expect(codes.toSorted((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual([
      'identity.email_taken',
      'won',
    ]);
  });

  /**
   * A reset is asked for at the old address while the new one is being proven. Control: without `for share` in
   * `find-addressee` the token of the old mailbox survives the change, and sets the password.
   */
  it('leaves no token to the old mailbox that is mailed at the same time', async () => {
    const { email, move } = await someone();
    const moved = fresh();
    await move(moved);
    const [found, goOn] = [new Signal(), new Signal()];
    const tokens = identity().get(UserTokens);
    const issue = tokens.issue.bind(tokens);
    const spy = jest.spyOn(tokens, 'issue').mockImplementation(async (tx, token) => {
      found.give();
      await goOn.arrived;
      return issue(tx, token);
    });
    const asking = http().post('/v1/auth/forgot-password', { email });
    await found.arrived;
    const proving = use(identity().mail.tokenFor(moved));
    await Promise.race([proving, eventually(() => expectOneWaiting())]);
    goOn.give();
    expect([(await asking).status, (await proving).status]).toEqual([202, 200]);
    spy.mockRestore();
    const token = identity().mail.tokenFor(email, 'reset-password');
    const reset = await http().post('/v1/auth/reset-password', {
      token,
      password: 'a mill beside the river',
    });
    expect(reset).toMatchObject({ status: 400, json: { code: 'identity.reset_invalid' } });
  });

  /** Control: without the comparison of the hashes under the lock the address is mailed a token that works. */
  it('is not taken on by a password that is reset after it was checked', async () => {
    const { email, move } = await someone();
    await http().post('/v1/auth/forgot-password', { email });
    const token = identity().mail.tokenFor(email, 'reset-password');
    const credentials = identity().get(Credentials);
    const confirm = credentials.confirm.bind(credentials);
    const spy = jest.spyOn(credentials, 'confirm').mockImplementation(async (...asked) => {
      const checked = await confirm(...asked);
      await http().post('/v1/auth/reset-password', { token, password: 'a mill beside the river' });
      return checked;
    });
    const moved = fresh();
    expect(await move(moved)).toMatchObject({ status: 403, json: { code: 'identity.wrong_password' } });
    spy.mockRestore();
    expect(identity().mail.subjectsTo(moved)).toEqual([]);
  });

  async function expectOneWaiting() {
    const waiting = await identity().sql(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect(waiting).toHaveLength(1);
  }

  it('is asked for five times an hour, and an address is mailed three times', async () => {
    const { move } = await someone();
    const wanted = fresh();
    for (const status of [202, 202, 202, 429]) expect((await move(wanted.toUpperCase())).status).toBe(status);
    expect((await move(fresh())).status).toBe(202);
    const refused = await move(fresh());
    expect(refused).toMatchObject({ status: 429, json: { limit: 'email-change' } });
    expect(refused.headers['retry-after']).toBe('720');
    identity().clock.advance(HOUR_MS / 5);
    expect((await move(fresh())).status).toBe(202);
  });
});

describe('The mail that verifies an address', () => {
  const identity = useIdentityHttp();
  const http = () => httpOf(identity());
  const again = (email: string) => http().post('/v1/auth/resend-verification', { email });

  it('is sent again, in whatever letter case it is asked for, until the address is verified', async () => {
    const { email } = await signedUp(identity());
    const unverified = await again(email.toUpperCase());
    expect(identity().mail.subjectsTo(email)).toHaveLength(2);
    await http().post('/v1/auth/verify-email', { token: identity().mail.tokenFor(email) });
    const verified = await again(email);
    const unknown = await again(`nobody-${randomUUID()}@example.com`);
    expect(identity().mail.subjectsTo(email)).toHaveLength(2);
    expect(unverified.status).toBe(202);
    expect(verified).toMatchObject({ status: 202, text: unverified.text });
    expect(unknown).toMatchObject({ status: 202, text: unverified.text });
  });

  it('is asked for in the same transaction when there is nothing to send', async () => {
    const { email } = await signedUp(identity());
    const sent = await recordedStatements(() => again(email));
    const unknown = await recordedStatements(() => again(`nobody-${randomUUID()}@example.com`));
    expect(sent.filter((name) => name !== 'issue-user-token' && name !== 'enqueue-mail')).toEqual(unknown);
  });

  it('is sent three times an hour', async () => {
    const { email } = await signedUp(identity());
    for (const status of [202, 202, 202, 429]) expect((await again(email)).status).toBe(status);
  });
});
