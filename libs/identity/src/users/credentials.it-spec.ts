import { randomUUID } from 'node:crypto';
import { aSignUp, CLIENT, useIdentityApp } from '../testing/identity-app';
import { Credentials } from './credentials.service';
import { SignUp } from './sign-up.service';

describe('Credentials', () => {
  const identity = useIdentityApp();
  const check = async (email: string, password: string) =>
    (await identity().get(Credentials).check(email, password, CLIENT))?.userId ?? null;

  async function anAccount() {
    const input = aSignUp(`Grace-${randomUUID()}@example.com`);
    const { user } = await identity().get(SignUp).signUp(input, CLIENT);
    return { ...input, id: user.id };
  }

  it('knows an account by its address in any letter case and its password', async () => {
    const { id, email, password } = await anAccount();
    expect(await check(email.toUpperCase(), password)).toBe(id);
    expect(await check(email, `${password}!`)).toBeNull();
    expect(await check(email, password.toUpperCase())).toBeNull();
  });

  it('takes a password that was composed by another keyboard', async () => {
    const input = { ...aSignUp(`k-${randomUUID()}@example.com`), password: 'caf\u00e9 au lait' };
    const { user } = await identity().get(SignUp).signUp(input, CLIENT);
    expect(await check(input.email, 'cafe\u0301 au lait')).toBe(user.id);
  });

  it('does the same work for an unknown address, a wrong password and an account without one', async () => {
    const { email } = await anAccount();
    const passwordless = `p-${randomUUID()}@example.com`;
    await identity().sql(
      'insert into users (id, email, name, created_at, updated_at) values ($1, $2, $3, now(), now())',
      [randomUUID(), passwordless, 'P'],
    );
    const { hasher } = identity();
    for (const address of [email, `nobody-${randomUUID()}@example.com`, passwordless]) {
      hasher.checked.length = 0;
      expect(await check(address, 'wrong horse battery')).toBeNull();
      // One real check each, against a hash of the same cost: this is what makes the answers take the same time.
      expect(hasher.checked).toEqual([expect.stringMatching(/^\$argon2id\$v=19\$m=8,t=1,p=1\$/)]);
    }
  });

  it('lets nobody in by the decoy itself', async () => {
    expect(await check(`nobody-${randomUUID()}@example.com`, 'nobody has this password')).toBeNull();
  });
});
