import { randomUUID } from 'node:crypto';
import { identityErrors } from '../errors';
import { aSignUp, CLIENT, useIdentityApp } from '../testing/identity-app';
import { FakeSignUpInvitations } from '../testing/port-fakes';
import { SignUp } from './sign-up.service';

const anAddress = () => `Ada-${randomUUID()}@Example.com`;

/** Invitations are another domain's: here they are what the port says of them. */
describe('SignUp with an invitation', () => {
  const identity = useIdentityApp();
  const invitations = () => identity().get(FakeSignUpInvitations);
  const signUp = (email: string, invitation?: string) =>
    identity()
      .get(SignUp)
      .signUp({ ...aSignUp(email), ...(invitation === undefined ? {} : { invitation }) }, CLIENT);
  const mailsTo = (email: string) => identity().mail.sent.filter(({ to }) => to === email);

  function anInvitation(email: string | null): string {
    const token = randomUUID();
    invitations().open.set(token, { email });
    return token;
  }

  it('follows it in the same transaction, and takes one that was mailed for proof of the address', async () => {
    const email = anAddress();
    const token = anInvitation(email);
    const { user } = await signUp(email, token);
    expect(user.emailVerified).toBe(true);
    expect(mailsTo(email)).toEqual([]);
    expect(invitations().followed.at(-1)).toEqual({
      token,
      userId: user.id,
      emailVerified: true,
      client: CLIENT,
    });
    expect(identity().workspaces.created.at(-1)).toMatchObject({ userId: user.id });
  });

  it('takes a link for no proof of anything', async () => {
    const email = anAddress();
    const { user } = await signUp(email, anInvitation(null));
    expect(user.emailVerified).toBe(false);
    expect(mailsTo(email)).toHaveLength(1);
    expect(invitations().followed.at(-1)).toMatchObject({ userId: user.id, emailVerified: false });
  });

  it('makes nothing when the invitation is for another address, or cannot be followed in the end', async () => {
    const email = anAddress();
    await expect(signUp(email, anInvitation(anAddress()))).rejects.toMatchObject({
      code: 'request.not_found',
    });
    const token = anInvitation(email);
    invitations().fault = new Error('the last seat went to another');
    await expect(signUp(email, token)).rejects.toThrow('the last seat');
    invitations().fault = null;
    expect(await identity().sql('select from users where email = $1', [email])).toEqual([]);
    expect(await identity().sql('select from mail_outbox where to_address = $1', [email])).toEqual([]);
    await expect(signUp(email, token)).resolves.toMatchObject({ user: { emailVerified: true } });
  });
});

describe.each(['invite', 'waitlist'])('SignUp of an installation in the mode %s', (SIGNUP_MODE) => {
  const identity = useIdentityApp({ environment: { SIGNUP_MODE } });

  it('lets in whoever holds an invitation or a link, and nobody else', async () => {
    const { open } = identity().get(FakeSignUpInvitations);
    const email = anAddress();
    open.set('invitation', { email }).set('link', { email: null });
    const signUp = (address: string, more: object = {}) =>
      identity()
        .get(SignUp)
        .signUp({ ...aSignUp(address), ...more }, CLIENT);
    await expect(signUp(email)).rejects.toMatchObject({ type: identityErrors.sign_up_closed });
    await expect(signUp(email, { invitation: 'forged' })).rejects.toMatchObject({
      code: 'request.not_found',
    });
    await signUp(email, { invitation: 'invitation' });
    await signUp(anAddress(), { invitation: 'link' });
  });
});
