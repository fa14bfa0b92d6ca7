import { randomUUID } from 'node:crypto';
import { eventually } from '#platform/testing';
import { type Account, apiKeyOf, signUp } from './support/account';
import { type Answer, type ApiClient, expectStatus } from './support/api-client';
import { useInstallation } from './support/installation';
import type { Json } from './support/json';

jest.setTimeout(60_000);

const OUR_SITE = { 'sec-fetch-site': 'same-origin' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

const cookieOf = (session: string | null) =>
  session === null ? {} : { cookie: `millrace_session=${session}` };

/** Invitations with the real people, plans and mails: what no test of one domain alone can show. */
describe('invitations', () => {
  const installation = useInstallation();
  let server: ApiClient;
  let ada: Account;

  beforeAll(async () => {
    ({ server } = await installation().start());
    ada = await signUp(server);
  });

  const anAddress = () => `grace-${randomUUID()}@example.com`;
  const signUpAs = (email: string, more: object = {}, at = server) =>
    at.post('/v1/auth/sign-up', { email, password: 'a mill beside the river', acceptTerms: '1.0', ...more });

  const mailsTo = async (email: string): Promise<readonly Json[]> =>
    expectStatus(await server.get('/dev/mail.json'), 200).data.filter((mail: Json) => mail.to === email);

  /** The token that was mailed last to an address. */
  const mailed = (email: string): Promise<string> =>
    eventually(async () => {
      const token = /\/i\/([\w-]+)/.exec((await mailsTo(email))[0]?.text ?? '')?.[1];
      if (token === undefined) throw new Error(`No invitation has reached ${email} yet.`);
      return token;
    });

  async function invite(email: string, role = 'member', by: Account = ada): Promise<string> {
    const answer = await by.api.post(`${by.home}/invitations`, { email, role });
    expectStatus(answer, 201);
    expect(answer.headers.get('ratelimit-policy')).toContain('"invitation-mails";q=60;w=86400');
    return mailed(email);
  }

  const workspacesOf = async (token: string): Promise<readonly Json[]> =>
    expectStatus(await server.as(token).get('/v1/workspaces'), 200).data;

  const isMember = async (token: string) =>
    (await workspacesOf(token)).some(({ id }) => id === ada.workspaceId);

  /** A browser with the cookie of a session, or with none. */
  const opened = (path: string, session: string | null): Promise<Answer> =>
    server.send('GET', path, { headers: { ...HTML, ...cookieOf(session) } });

  /** The same, at a button of ours or of another site. */
  const pressed = (path: string, session: string | null, from: object = OUR_SITE): Promise<Answer> =>
    server.send('POST', path, { headers: { ...HTML, ...FORM, ...cookieOf(session), ...from } });

  it('let somebody sign up and join at once, with the address that the mail has proven', async () => {
    const email = anAddress();
    const invitation = await invite(email, 'admin');
    const { token, user } = expectStatus(await signUpAs(email, { invitation }), 201);
    expect(user.emailVerified).toBe(true);
    const joined = await workspacesOf(token);
    expect(joined).toHaveLength(2);
    expect(joined.find(({ id }) => id === ada.workspaceId)).toMatchObject({ role: 'admin' });
    expect(await mailsTo(email)).toHaveLength(1);
    const { data } = expectStatus(await ada.api.get(`${ada.home}/audit-log`), 200);
    expect(data[0]).toMatchObject({
      action: 'member.joined',
      actor: { kind: 'user', id: user.id },
      ip: '127.0.0.1',
    });
  });

  it('make no account for another address, nor by one that is over', async () => {
    const email = anAddress();
    const invitation = await invite(anAddress());
    const refused = expectStatus(await signUpAs(email, { invitation }), 403);
    expect(refused).toMatchObject({
      code: 'workspace.invitation_for_another_address',
      invitedAddress: 'g***@e***.com',
    });
    expectStatus(await signUpAs(email, { invitation: 'x'.repeat(43) }), 404);
    const [{ id }] = expectStatus(await ada.api.get(`${ada.home}/invitations?state=pending`), 200).data;
    expectStatus(await ada.api.send('DELETE', `${ada.home}/invitations/${id}`), 204);
    expect(expectStatus(await signUpAs(email, { invitation }), 410).code).toBe(
      'workspace.invitation_revoked',
    );
    expectStatus(await server.post('/v1/auth/sign-in', { email, password: 'a mill beside the river' }), 401);
  });

  it('prove the address of whoever accepts by the mailed token, and wait in the list of whoever has proven it', async () => {
    const email = anAddress();
    const { token: session } = expectStatus(await signUpAs(email), 201);
    const guest = server.as(session);
    const token = await invite(email);
    expect(expectStatus(await guest.get('/v1/me/invitations'), 403).code).toBe('workspace.email_unverified');
    const joined = expectStatus(await guest.post('/v1/invitations/accept', { token }), 200);
    expect(joined).toMatchObject({ workspaceId: ada.workspaceId, role: 'member' });
    expect(expectStatus(await guest.post('/v1/invitations/accept', { token }), 200)).toEqual(joined);
    expect(expectStatus(await guest.get('/v1/me'), 200).user.emailVerified).toBe(true);
    const other = await signUp(server);
    await invite(email, 'viewer', other);
    const { data } = expectStatus(await guest.get('/v1/me/invitations'), 200);
    expect(data).toMatchObject([{ workspaceId: other.workspaceId, role: 'viewer' }]);
    expectStatus(await guest.post(`/v1/me/invitations/${data[0].id}/decline`), 204);
    expect(expectStatus(await guest.get('/v1/me/invitations'), 200).data).toEqual([]);
  });

  it('are answered by people, not by keys', async () => {
    const token = await invite(anAddress());
    const { key } = await apiKeyOf(ada, 'admin');
    for (const answer of ['accept', 'decline']) {
      expectStatus(await server.as(key).post(`/v1/invitations/${answer}`, { token }), 403);
    }
    expectStatus(await server.as(key).get('/v1/me/invitations'), 403);
  });

  it('show programs JSON and browsers a page, from which nothing is cached or told to others', async () => {
    const email = anAddress();
    const token = await invite(email);
    const preview = await server.get(`/i/${token}`);
    expect(expectStatus(preview, 200)).toMatchObject({
      kind: 'invitation',
      state: 'pending',
      address: 'g***@e***.com',
    });
    const page = await opened(`/i/${token}`, null);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.text).toContain('Sign in or sign up with g***@e***.com');
    expect(page.text).not.toContain('<form');
    expect((await opened(`/i/${token}`, 'of nobody')).text).toBe(page.text);
    for (const { headers, text } of [preview, page]) {
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('vary')).toContain('accept');
      expect(headers.get('referrer-policy')).toBe('same-origin');
      expect(text).not.toContain(email);
    }
    const unknown = `/i/${'x'.repeat(43)}`;
    expect(expectStatus(await server.get(unknown), 404).code).toBe('request.not_found');
    const missing = await opened(unknown, null);
    expect([missing.status, missing.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
  });

  it('give a browser that is signed in its buttons, which other sites cannot press', async () => {
    const email = anAddress();
    const { token: session } = expectStatus(await signUpAs(email), 201);
    const token = await invite(email);
    const page = await opened(`/i/${token}`, session);
    expect(page.text).toContain(`<form method="post" action="/i/${token}/accept">`);
    expect(page.text).toContain(`<form method="post" action="/i/${token}/decline">`);
    const press = (from: object, as: string | null = session) => pressed(`/i/${token}/accept`, as, from);
    expect((await press({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await press({ origin: 'https://evil.example' })).status).toBe(403);
    expect((await press(OUR_SITE, null)).text).toContain('You are not signed in');
    expect(await isMember(session)).toBe(false);
    const accepted = await press(OUR_SITE);
    expect([accepted.status, accepted.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    expect(accepted.text).toContain('You are a member of');
    expect(await isMember(session)).toBe(true);
    expect((await opened(`/i/${token}`, session)).text).toContain('was accepted already');
    const late = await pressed(`/i/${token}/decline`, session);
    expect(late.text).toContain('This did not work');
  });

  it('tell a browser with another account whom they are for; links have one button', async () => {
    const { token: session } = expectStatus(await signUpAs(`eve-${randomUUID()}@example.org`), 201);
    const page = await opened(`/i/${await invite(anAddress())}`, session);
    expect(page.text).toContain('sign in or sign up with g***@e***.com');
    expect(page.text).not.toContain('<form');
    const { url } = expectStatus(await ada.api.post(`${ada.home}/invite-links`, { role: 'viewer' }), 201);
    const path = new URL(url).pathname;
    const link = await opened(path, session);
    expect(link.text.match(/<form/g)).toHaveLength(1);
    expect(await isMember(session)).toBe(false);
    await pressed(`${path}/accept`, session);
    expect(await isMember(session)).toBe(true);
  });

  it('open an installation that takes nobody else', async () => {
    const { server: closed } = await installation().start({ SIGNUP_MODE: 'invite' });
    const email = anAddress();
    expect(expectStatus(await signUpAs(email, {}, closed), 403).code).toBe('identity.sign_up_closed');
    expectStatus(await signUpAs(email, { invitation: await invite(email) }, closed), 201);
    const { url } = expectStatus(await ada.api.post(`${ada.home}/invite-links`, { role: 'viewer' }), 201);
    const invitation = new URL(url).pathname.split('/').at(-1);
    const { token } = expectStatus(await signUpAs(anAddress(), { invitation }, closed), 201);
    expect(await isMember(token)).toBe(true);
  });

  it('end at the seats of the plan, in the one shape of all refusals by a plan', async () => {
    const small = await signUp(server);
    const { url } = expectStatus(await small.api.post(`${small.home}/invite-links`, { role: 'viewer' }), 201);
    await installation().testDb.sql(`update workspaces set plan = 'solo' where id = $1`, [small.workspaceId]);
    const refusal = {
      code: 'billing.seat_limit_reached', limit: 'seats', plan: 'solo', allowed: 1, upgradeTo: 'workspace', resetsAt: null,
    }; // prettier-ignore
    const invited = await small.api.post(`${small.home}/invitations`, { email: anAddress(), role: 'viewer' });
    expect(expectStatus(invited, 429)).toMatchObject(refusal);
    const invitation = new URL(url).pathname.split('/').at(-1);
    const email = anAddress();
    expect(expectStatus(await signUpAs(email, { invitation }), 429)).toMatchObject(refusal);
    expectStatus(await server.post('/v1/auth/sign-in', { email, password: 'a mill beside the river' }), 401);
  });
});
