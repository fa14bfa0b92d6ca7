import { randomUUID } from 'node:crypto';
import { generate } from 'otplib';
import { eventually } from '#platform/testing';
import { expectStatus } from './support/api-client';
import { useInstallation } from './support/installation';
import { ListeningClient } from './support/listening-client';
import type { MillraceProcess } from './support/millrace-process';

jest.setTimeout(60_000);

/** Everything that looks like a secret of ours: tokens of 32 bytes, alone or at the end of an API key. */
const TOKEN = /(?<![\w-])(?:mr_live_[0-9a-f]{16}_)?[\w-]{43}(?![\w-])/g;

/** Goes through every flow that hands out a secret, and then looks for each of them in all that is kept. */
describe('Secrets', () => {
  const installation = useInstallation();
  const heard: string[] = [];
  const secrets = new Set<string>();
  let millrace: MillraceProcess;
  let server: ListeningClient;

  beforeAll(async () => {
    ({ process: millrace } = await installation().start({ LOG_LEVEL: 'trace' }));
    server = new ListeningClient(millrace.url, null, heard);
  });

  /** The token behind a path in the newest mail to an address. */
  const mailed = (to: string, path: string) =>
    eventually(async () => {
      const { data } = expectStatus(await server.get('/dev/mail.json'), 200);
      const mail = data.find((one: { to: string; text: string }) => one.to === to && one.text.includes(path));
      if (!mail) throw new Error(`No mail with ${path} went to ${to}.`);
      return (
        String(mail.text)
          .split(path)[1]
          ?.match(/^[\w-]+/)?.[0] ?? ''
      );
    });

  function remembered(secret: string): string {
    secrets.add(secret);
    return secret;
  }

  async function someone() {
    const email = `${randomUUID()}@example.com`;
    const password = remembered(`pass ${randomUUID()}`);
    const answer = await server.post('/v1/auth/sign-up', { email, password, acceptTerms: '1.0' });
    const { token } = expectStatus(answer, 201);
    const api = server.as(token);
    const [{ id }] = expectStatus(await api.get('/v1/workspaces'), 200).data;
    return { email, password, api, home: `/v1/workspaces/${id}` };
  }

  it('are handed out by every flow', async () => {
    const ada = await someone();
    await server.post('/v1/auth/verify-email', { token: await mailed(ada.email, '/verify-email?token=') });
    await server.post('/v1/auth/resend-verification', { email: ada.email });
    const again = { email: ada.email, password: ada.password, rememberMe: true };
    expectStatus(await server.post('/v1/auth/sign-in', again), 200);

    expectStatus(await ada.api.post(`${ada.home}/api-keys`, { name: 'CI', role: 'member' }), 201);
    const guest = await someone();
    const invitation = { email: guest.email, role: 'viewer' };
    expectStatus(await ada.api.post(`${ada.home}/invitations`, invitation), 201);
    const invited = await mailed(guest.email, '/i/');
    expectStatus(await server.get(`/i/${invited}`), 200);
    expectStatus(await guest.api.post('/v1/invitations/accept', { token: invited }), 200);
    expectStatus(await ada.api.post(`${ada.home}/invite-links`, { role: 'viewer' }), 201);

    const { secret } = expectStatus(await ada.api.post('/v1/me/two-factor', { password: ada.password }), 201);
    remembered(secret);
    const enabled = await ada.api.post('/v1/me/two-factor/enable', { code: await generate({ secret }) });
    const { recoveryCodes } = expectStatus(enabled, 200);
    for (const code of recoveryCodes) remembered(code);
    const challenged = expectStatus(await server.post('/v1/auth/sign-in', again), 200);
    expect(challenged.status).toBe('second_factor_required');
    const second = { challenge: challenged.challenge, code: recoveryCodes[0] };
    expectStatus(await server.post('/v1/auth/sign-in/second-factor', second), 200);

    expectStatus(await server.post('/v1/auth/forgot-password', { email: guest.email }), 202);
    const reset = {
      token: await mailed(guest.email, '/reset-password?token='),
      password: remembered(`pass ${randomUUID()}`),
    };
    expect((await server.post('/v1/auth/reset-password', reset)).status).toBeLessThan(300);
    const leaving = await someone();
    await leaving.api.post('/v1/me/deletion', { password: leaving.password });
    expect(await mailed(leaving.email, '/delete-account?token=')).toHaveLength(43);
    await leaving.api.post('/v1/me/email', {
      email: `new-${leaving.email}`,
      password: leaving.password,
    });
    expect(await mailed(`new-${leaving.email}`, '/verify-email?token=')).toHaveLength(43);

    const definition = {
      nodes: [{ id: 'hook', type: 'trigger.webhook', params: { auth: { scheme: 'bearer' } } }],
      edges: [],
    };
    const { id } = expectStatus(await ada.api.post(`${ada.home}/workflows`, { name: 'W', definition }), 201);
    const path = `${ada.home}/workflows/${id}`;
    expectStatus(await ada.api.post(`${path}/publish`), 201);
    const [hook] = expectStatus(await ada.api.get(`${path}/hooks`), 200).data;
    const bearer = remembered(
      expectStatus(await ada.api.put(`${path}/hooks/${hook.id}/secrets/bearer`, {}), 200).value,
    );
    const authorization = { authorization: `Bearer ${bearer}` };
    const called = new URL(hook.url).pathname;
    expectStatus(await server.post(called, {}, authorization), 202);
    expectStatus(await server.post(called, {}, { authorization: `Bearer ${bearer}x` }), 401);

    for (const text of heard) for (const [token] of text.matchAll(TOKEN)) secrets.add(token);
    // Sign-ups and sign-ins with their cookies, mails, a key, a link, a challenge, ten codes, passwords.
    expect(secrets.size).toBeGreaterThan(25);
  });

  it('lie in no table of any schema, in no spelling', async () => {
    const { sql } = installation().testDb;
    const tables = await sql<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
        where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    const dump: string[] = [];
    for (const { name } of tables) {
      const rows = await sql<{ row: string }>(`select t::text as row from ${name} t`);
      dump.push(...rows.map(({ row }) => row));
    }
    const all = dump.join('\n').toLowerCase();
    expect(all).toContain('invitation');
    const found = [...secrets].filter((secret) => spellings(secret).some((one) => all.includes(one)));
    expect(found).toEqual([]);
  });

  it('are in no line of the log', () => {
    expect(millrace.output.length).toBeGreaterThan(100);
    expect([...secrets].filter((secret) => millrace.output.includes(secret))).toEqual([]);
  });
});

/** A secret as text, as the bytes of the text, and as the bytes that it writes, the way PostgreSQL shows them. */
function spellings(secret: string): readonly string[] {
  const bare = secret.replace(/^mr_live_[0-9a-f]{16}_/, '');
  const bytes = [Buffer.from(secret), Buffer.from(bare, 'base64url')].filter(({ length }) => length > 8);
  return [secret, bare, ...bytes.flatMap((one) => [one.toString('hex'), one.toString('base64')])].map(
    (text) => text.toLowerCase(),
  );
}
