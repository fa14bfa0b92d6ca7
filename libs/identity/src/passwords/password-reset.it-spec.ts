import { randomUUID } from 'node:crypto';
import { barrier, eventually, recordedStatements, Signal } from '#platform/testing';
import { SignIn } from '../auth/sign-in.service';
import { identityErrors } from '../errors';
import { Sessions } from '../sessions/sessions.service';
import { aSignUp, CLIENT, useIdentityApp } from '../testing/identity-app';
import { Credentials } from '../users/credentials.service';
import { SignUp } from '../users/sign-up.service';
import { Users } from '../users/users.service';
import { EmailChange } from '../verification/email-change.service';
import { EmailVerification } from '../verification/email-verification.service';
import { PasswordReset } from './password-reset.service';
import { Passwords } from './passwords.service';

const MINUTE_MS = 60_000;
const NEW = 'a mill beside the river';
const invalid = { type: identityErrors.reset_invalid };

describe('PasswordReset', () => {
  const identity = useIdentityApp({ poolSize: 12 });
  const resets = () => identity().get(PasswordReset);
  const reset = (token: string, password = NEW) => resets().reset({ token, password });

  async function someone() {
    const input = aSignUp(`Ada-${randomUUID()}@Example.com`);
    const { user, session } = await identity().get(SignUp).signUp(input, CLIENT);
    const found = await identity().get(Sessions).find(session.token);
    const actor = {
      kind: 'user',
      userId: user.id,
      sessionId: found?.sessionId ?? '',
      via: 'bearer',
    } as const;
    const check = async (password: string) =>
      (await identity().get(Credentials).check(input.email, password, CLIENT)) !== null;
    return { ...input, ...actor, actor, session, check };
  }

  async function mailedToken(email: string): Promise<string> {
    await resets().ask(email);
    return identity().mail.tokenFor(email, 'reset-password');
  }

  const sessionsOf = async (userId: string) => {
    const rows = await identity().sql('select from sessions where user_id = $1', [userId]);
    return rows.length;
  };

  it('sets the password, verifies the address, ends every session and tells the owner', async () => {
    const { email, userId, password, session, check } = await someone();
    await reset(await mailedToken(email));
    expect(await check(NEW)).toBe(true);
    expect(await check(password)).toBe(false);
    expect(await identity().get(Users).find(userId)).toMatchObject({ emailVerified: true });
    expect(await identity().get(Sessions).find(session.token)).toBeNull();
    expect(await sessionsOf(userId)).toBe(0);
    expect(identity().mail.subjectsTo(email).at(-1)).toBe('Your password was changed');
  });

  it('finds the account whatever the letter case of the address', async () => {
    const { email } = await someone();
    await resets().ask(email.toUpperCase());
    expect(identity().mail.subjectsTo(email)).toContain('Choose a new password');
  });

  it('gives a first password to an account that has none', async () => {
    const email = `p-${randomUUID()}@example.com`;
    await identity().sql(
      'insert into users (id, email, name, created_at, updated_at) values ($1, $2, $3, now(), now())',
      [randomUUID(), email, 'P'],
    );
    await reset(await mailedToken(email));
    expect(await identity().get(Credentials).check(email, NEW, CLIENT)).not.toBeNull();
  });

  it('takes a token once, for 30 minutes, and nothing that is none', async () => {
    const { email, check } = await someone();
    const token = await mailedToken(email);
    identity().clock.advance(30 * MINUTE_MS - 1);
    await reset(token);
    await expect(reset(token, 'and yet another one')).rejects.toMatchObject(invalid);
    const late = await mailedToken(email);
    identity().clock.advance(30 * MINUTE_MS);
    await expect(reset(late, 'and yet another one')).rejects.toMatchObject(invalid);
    for (const wrong of ['', 'x', 'A'.repeat(43), '\0', identity().mail.tokenFor(email, 'verify-email')]) {
      await expect(reset(wrong, 'and yet another one')).rejects.toMatchObject(invalid);
    }
    expect(await check(NEW)).toBe(true);
  });

  it('refuses the address as a password, and the token can be used again', async () => {
    const { email, check } = await someone();
    const token = await mailedToken(email);
    await expect(reset(token, ` ${email.toUpperCase()}`)).rejects.toMatchObject({
      context: { problems: [{ pointer: '/password' }] },
    });
    await reset(token);
    expect(await check(NEW)).toBe(true);
  });

  it('takes back whatever else was mailed or begun under the old password', async () => {
    const { email, userId, password, actor } = await someone();
    const other = await mailedToken(email);
    const elsewhere = `mallory-${randomUUID()}@example.com`;
    await identity().get(EmailChange).ask(actor, { email: elsewhere, password });
    await identity().sql(
      `insert into user_tokens (token_hash, user_id, purpose, created_at, expires_at)
       select sha256(random()::text::bytea), $1, purpose, now(), now() + interval '1 hour'
         from unnest(array['second_factor', 'delete_account']) purpose`,
      [userId],
    );
    await reset(await mailedToken(email));
    await expect(reset(other)).rejects.toMatchObject(invalid);
    const moved = identity().get(EmailVerification).verify(identity().mail.tokenFor(elsewhere));
    await expect(moved).rejects.toMatchObject({ type: identityErrors.verification_invalid });
    const left = await identity().sql<{ purpose: string }>(
      'select purpose from user_tokens where user_id = $1 and used_at is null',
      [userId],
    );
    // The mail of the sign-up proves the address that the account keeps.
    expect(left).toEqual([{ purpose: 'verify_email' }]);
  });

  it('commits the same transaction for an unknown address, but for the token and the mail', async () => {
    const { email } = await someone();
    const known = await recordedStatements(() => resets().ask(email));
    const unknown = await recordedStatements(() => resets().ask(`nobody-${randomUUID()}@example.com`));
    expect(unknown).toEqual(['START TRANSACTION', 'take-from-rate-limit', 'find-addressee', 'COMMIT']);
    expect(known.filter((name) => name !== 'issue-user-token' && name !== 'enqueue-mail')).toEqual(unknown);
  });

  it('mails an address three times an hour, known or not', async () => {
    const { email } = await someone();
    for (const address of [email, `nobody-${randomUUID()}@example.com`]) {
      for (const taken of [true, true, true, false]) {
        expect(await resets().ask(address)).toMatchObject({ taken });
      }
    }
    expect(identity().mail.subjectsTo(email)).toHaveLength(1 + 3);
    identity().clock.advance(20 * MINUTE_MS);
    expect(await resets().ask(email.toUpperCase())).toMatchObject({ taken: true });
  });

  /**
   * Everyone has found the token before anyone uses it, which the barrier makes certain.
   * Control: without `used_at is null` in `use-user-token` all ten set their password.
   */
  it('lets one of ten win that use a token at a time', async () => {
    const { email, check } = await someone();
    const token = await mailedToken(email);
    const arrive = barrier(10);
    const { hasher } = identity();
    const hash = hasher.hash.bind(hasher);
    const spy = jest.spyOn(hasher, 'hash').mockImplementation(async (password) => {
      await arrive();
      return hash(password);
    });
    const passwords = Array.from({ length: 10 }, (_, at) => `${NEW} ${at}`);
    const outcomes = await Promise.allSettled(passwords.map((password) => reset(token, password)));
    spy.mockRestore();
    const won = outcomes.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []));
    expect(won).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(invalid);
    }
    expect(await check(`${NEW} ${won[0]}`)).toBe(true);
    expect(
      identity()
        .mail.subjectsTo(email)
        .filter((subject) => subject === 'Your password was changed'),
    ).toHaveLength(1);
  });

  /** Control: without the comparison of the hashes under the lock in `Passwords.change` both succeed. */
  it('lets one of two win that change the same password at a time', async () => {
    const { actor, password, check } = await someone();
    const arrive = barrier(2);
    const { hasher } = identity();
    const hash = hasher.hash.bind(hasher);
    const spy = jest.spyOn(hasher, 'hash').mockImplementation(async (text) => {
      await arrive();
      return hash(text);
    });
    const changes = [`${NEW} 1`, `${NEW} 2`].map((newPassword) =>
      identity().get(Passwords).change(actor, { currentPassword: password, newPassword }),
    );
    const outcomes = await Promise.allSettled(changes);
    spy.mockRestore();
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await check(`${NEW} ${outcomes[0]?.status === 'fulfilled' ? 1 : 2}`)).toBe(true);
  });

  describe('beside sign-ins with the old password', () => {
    const signIn = (checked: { userId: string; passwordHash: string }) =>
      identity()
        .get(SignIn)
        .signIn({ ...checked, method: 'password', remember: true, client: CLIENT });

    async function checkedSomeone() {
      const account = await someone();
      const checked = await identity().get(Credentials).check(account.email, account.password, CLIENT);
      if (!checked) throw new Error('The password is right.');
      return { ...account, checked };
    }

    /** Control: without the comparison of the hash in `hold-checked-user` the old password begins a session. */
    it('refuses one that was checked before and begins its session after', async () => {
      const { email, userId, checked } = await checkedSomeone();
      await reset(await mailedToken(email));
      await expect(signIn(checked)).rejects.toMatchObject({ type: identityErrors.bad_credentials });
      expect(await sessionsOf(userId)).toBe(0);
    });

    /**
     * The sign-in stands between its look at the password and its new session when the reset begins. Control: without
     * `for share` in `hold-checked-user` the reset does not wait, deletes what sessions there are, and this one survives.
     */
    it('ends the session of one that is just beginning it', async () => {
      const { email, userId, checked } = await checkedSomeone();
      const token = await mailedToken(email);
      const [held, goOn] = [new Signal(), new Signal()];
      const sessions = identity().get(Sessions);
      const start = sessions.start.bind(sessions);
      const spy = jest.spyOn(sessions, 'start').mockImplementation(async (tx, session) => {
        held.give();
        await goOn.arrived;
        return start(tx, session);
      });
      const signingIn = signIn(checked);
      await held.arrived;
      const resetting = reset(token);
      await Promise.race([resetting, eventually(() => expectWaiting())]);
      goOn.give();
      const signedIn = await signingIn;
      if (signedIn.status !== 'signed_in') throw new Error('Nobody was asked for a second factor.');
      await resetting;
      spy.mockRestore();
      expect(await sessions.find(signedIn.session.token)).toBeNull();
      expect(await sessionsOf(userId)).toBe(0);
    });

    async function expectWaiting() {
      const waiting = await identity().sql(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(waiting).toHaveLength(1);
    }
  });
});
