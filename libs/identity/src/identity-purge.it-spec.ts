import { randomUUID } from 'node:crypto';
import { IdentityPurge } from './identity-purge.loop';
import { aSignUp, CLIENT, useIdentityApp } from './testing/identity-app';
import { Credentials } from './users/credentials.service';
import { SignUp } from './users/sign-up.service';

const HOUR_MS = 60 * 60_000;

describe('IdentityPurge', () => {
  const identity = useIdentityApp();
  const purge = () => identity().get(IdentityPurge).runOnce();

  it('deletes tokens after a day and sessions after theirs, and leaves the rest', async () => {
    const signUp = () =>
      identity()
        .get(SignUp)
        .signUp(aSignUp(`${randomUUID()}@example.com`), CLIENT);
    await signUp();
    await signUp();
    expect(await purge()).toEqual({ rows: 0, again: false });
    identity().clock.advance(24 * HOUR_MS);
    await signUp();
    expect(await purge()).toEqual({ rows: 2, again: false });
    identity().clock.advance(6 * 24 * HOUR_MS);
    expect(await purge()).toEqual({ rows: 3, again: false });
    const [left] = await identity().sql(
      `select (select count(*)::int from sessions) as sessions,
              (select count(*)::int from user_tokens) as tokens`,
    );
    expect(left).toEqual({ sessions: 1, tokens: 0 });
  });

  it('forgets attempts to sign in after 90 days', async () => {
    const check = () => identity().get(Credentials).check('nobody@example.com', 'wrong', CLIENT);
    const kept = async () => (await identity().sql('select from sign_in_attempts')).length;
    await check();
    identity().clock.advance(90 * 24 * HOUR_MS - 1);
    await check();
    await purge();
    expect(await kept()).toBe(2);
    identity().clock.advance(1);
    await purge();
    expect(await kept()).toBe(1);
  });
});
