import { randomUUID } from 'node:crypto';
import { barrier } from '#platform/testing';
import { identityErrors } from '../errors';
import { aSignUp, CLIENT, useIdentityApp } from '../testing/identity-app';
import { SignUp } from './sign-up.service';

const anAddress = () => `Ada-${randomUUID()}@Example.com`;

describe('SignUp', () => {
  const identity = useIdentityApp();
  const signUp = (email: string, more: object = {}) =>
    identity()
      .get(SignUp)
      .signUp({ ...aSignUp(email), ...more }, CLIENT);

  it('makes account, terms acceptance, personal workspace, session and mail at once', async () => {
    const email = anAddress();
    const { user, session } = await signUp(email);
    expect(user).toMatchObject({ email, name: 'Ada Lovelace', emailVerified: false });
    expect(session.expiresAt).toEqual(new Date('2026-01-12T12:00:00Z'));
    const [row] = await identity().sql(
      `select t.version, t.accepted_at, s.remember, host(s.ip) as ip, s.user_agent, u.password_hash like '$argon2id$%' as hashed
         from users u join user_terms_acceptances t on t.user_id = u.id join sessions s on s.user_id = u.id
        where u.id = $1`,
      [user.id],
    );
    expect(row).toEqual({
      version: '1.0',
      accepted_at: new Date('2026-01-05T12:00:00Z'),
      remember: false,
      ip: CLIENT.ip,
      user_agent: CLIENT.userAgent,
      hashed: true,
    });
    expect(identity().workspaces.created.at(-1)).toMatchObject({
      userId: user.id,
      name: "Ada Lovelace's workspace",
    });
    expect(identity().mail.sent.at(-1)).toMatchObject({ to: email, subject: 'Confirm your e-mail address' });
  });

  it('names what it was not told: the person by the address, the workspace by the person', async () => {
    const local = `ada${randomUUID().slice(0, 8)}`;
    const { user } = await signUp(`${local}@example.com`, { name: undefined });
    expect(user.name).toBe(local);
    await signUp(anAddress(), { workspaceName: 'Analytical Engines' });
    expect(identity().workspaces.created.at(-1)?.name).toBe('Analytical Engines');
  });

  it('refuses an address that has an account, whatever its letter case', async () => {
    const email = anAddress();
    await signUp(email);
    const again = signUp(email.toUpperCase());
    await expect(again).rejects.toMatchObject({ type: identityErrors.email_taken });
  });

  it('leaves nothing behind when the workspace cannot be made', async () => {
    const email = anAddress();
    const { workspaces, mail, sql } = identity();
    const mailsBefore = mail.sent.length;
    workspaces.fault = new Error('no workspace today');
    await expect(signUp(email)).rejects.toThrow('no workspace today');
    workspaces.fault = null;
    expect(await sql('select from users where email = $1', [email])).toEqual([]);
    expect(await sql('select from mail_outbox where to_address = $1', [email])).toEqual([]);
    expect(mail.sent).toHaveLength(mailsBefore);
    await expect(signUp(email)).resolves.toMatchObject({ user: { email } });
  });
});

describe('SignUp in a race', () => {
  const PARALLEL = 20;
  const identity = useIdentityApp({ poolSize: PARALLEL });

  /**
   * Control: with `drop index users_lower_email_key` before the race, all twenty make an account. The early look for a
   * known address does not help: every request is past it before the first commit, which the barrier makes certain.
   */
  it('makes exactly one account of twenty sign-ups with one address in different letter case', async () => {
    const local = `ada${randomUUID().replaceAll('-', '')}`;
    const arrive = barrier(PARALLEL);
    const prepare = identity().workspaces.prepare.bind(identity().workspaces);
    identity().workspaces.prepare = async () => {
      const prepared = await prepare();
      await arrive();
      return prepared;
    };
    const cased = (at: number) =>
      Array.from(local, (char, index) => ((at >> (index % 5)) & 1 ? char.toUpperCase() : char)).join('');
    const outcomes = await Promise.allSettled(
      Array.from({ length: PARALLEL }, (_, at) =>
        identity()
          .get(SignUp)
          .signUp(aSignUp(`${cased(at)}@example.com`), CLIENT),
      ),
    );
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(PARALLEL - 1);
    for (const { reason } of refused) expect(reason).toMatchObject({ type: identityErrors.email_taken });
    const [count] = await identity().sql<{ users: number; sessions: number; mails: number }>(
      `select (select count(*)::int from users) as users, (select count(*)::int from sessions) as sessions,
              (select count(*)::int from mail_outbox) as mails`,
    );
    expect(count).toEqual({ users: 1, sessions: 1, mails: 1 });
    expect(identity().workspaces.created).toHaveLength(1);
  });
});

describe('SignUp of a closed installation', () => {
  const identity = useIdentityApp({ environment: { SIGNUP_MODE: 'invite' } });

  it('refuses everyone', async () => {
    const refused = identity().get(SignUp).signUp(aSignUp(anAddress()), CLIENT);
    await expect(refused).rejects.toMatchObject({ type: identityErrors.sign_up_closed });
  });
});
