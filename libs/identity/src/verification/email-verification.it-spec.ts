import { randomUUID } from 'node:crypto';
import { barrier } from '#platform/testing';
import { identityErrors } from '../errors';
import { aSignUp, CLIENT, useIdentityApp } from '../testing/identity-app';
import { SignUp } from '../users/sign-up.service';
import { Users } from '../users/users.service';
import { EmailVerification } from './email-verification.service';

const DAY_MS = 24 * 60 * 60_000;

describe('EmailVerification', () => {
  const identity = useIdentityApp({ poolSize: 12 });
  const verify = (token: string) => identity().get(EmailVerification).verify(token);
  const invalid = { type: identityErrors.verification_invalid };

  async function someone() {
    const email = `ada-${randomUUID()}@example.com`;
    const { user } = await identity().get(SignUp).signUp(aSignUp(email), CLIENT);
    const verified = async () => (await identity().get(Users).find(user.id))?.emailVerified;
    return { email, token: identity().mail.tokenFor(email), verified };
  }

  it('verifies an address by the token that was mailed to it', async () => {
    const { email, token, verified } = await someone();
    expect(await verified()).toBe(false);
    expect(await verify(token)).toBe(email);
    expect(await verified()).toBe(true);
  });

  it('uses a token once', async () => {
    const { token } = await someone();
    await verify(token);
    await expect(verify(token)).rejects.toMatchObject(invalid);
  });

  it('refuses a token after 24 hours, and what never was one', async () => {
    const { token, verified } = await someone();
    const late = await someone();
    identity().clock.advance(DAY_MS - 1);
    await verify(token);
    identity().clock.advance(1);
    await expect(verify(late.token)).rejects.toMatchObject(invalid);
    expect(await late.verified()).toBe(false);
    expect(await verified()).toBe(true);
    for (const wrong of ['', 'x', `${token}=`, token.toLowerCase(), '\0']) {
      await expect(verify(wrong)).rejects.toMatchObject(invalid);
    }
  });

  /**
   * Control: without `used_at is null` in the statement's WHERE all ten succeed.
   */
  it('lets one of ten win that use a token at a time', async () => {
    const { email, token } = await someone();
    const arrive = barrier(10);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, async () => {
        await arrive();
        return verify(token);
      }),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toEqual([
      { status: 'fulfilled', value: email },
    ]);
  });

  it('writes a mail that cannot be bent by a name', async () => {
    const email = `eve-${randomUUID()}@example.com`;
    await identity()
      .get(SignUp)
      .signUp({ ...aSignUp(email), name: '<img src=x onerror="alert(1)">' }, CLIENT);
    const mail = identity().mail.sent.at(-1);
    expect(mail?.html).toContain('Hello &lt;img src=x onerror=&quot;alert(1)&quot;&gt;,');
    expect(mail?.text).toContain(
      `http://localhost:3000/verify-email?token=${identity().mail.tokenFor(email)}`,
    );
  });
});
