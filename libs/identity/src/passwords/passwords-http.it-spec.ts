import { randomUUID } from 'node:crypto';
import { httpOf, signedUp, useIdentityHttp } from '../testing/http';

const NEW = 'a mill beside the river';

describe('Passwords over HTTP', () => {
  const identity = useIdentityHttp();
  const http = () => httpOf(identity());
  const someone = () => signedUp(identity());

  async function mailedToken(email: string): Promise<string> {
    await http().post('/v1/auth/forgot-password', { email });
    return identity().mail.tokenFor(email, 'reset-password');
  }

  it('are forgotten by one and the same answer, whoever asks', async () => {
    const { email } = await someone();
    const known = await http().post('/v1/auth/forgot-password', { email: ` ${email.toUpperCase()}` });
    const unknown = await http().post('/v1/auth/forgot-password', { email: `x-${randomUUID()}@example.com` });
    expect(known.status).toBe(202);
    expect(unknown.status).toBe(202);
    expect(unknown.text).toBe(known.text);
    expect(identity().mail.subjectsTo(email)).toContain('Choose a new password');
  });

  it('are reset by JSON, and everything asks for the new one', async () => {
    const { email, password, token } = await someone();
    const body = { token: await mailedToken(email), password: NEW };
    expect((await http().post('/v1/auth/reset-password', body)).status).toBe(204);
    expect((await http().get('/v1/me', { as: token })).status).toBe(401);
    expect((await http().post('/v1/auth/sign-in', { email, password })).status).toBe(401);
    expect((await http().post('/v1/auth/sign-in', { email, password: NEW })).status).toBe(200);
    const again = await http().post('/v1/auth/reset-password', body);
    expect(again).toMatchObject({ status: 400, json: { code: 'identity.reset_invalid' } });
  });

  it.each(['x', 'A'.repeat(43), "' or true --", '%00', '🔑'.repeat(40)])(
    'answer 400 to the token %j',
    async (token) => {
      const answer = await http().post('/v1/auth/reset-password', { token, password: NEW });
      expect(answer).toMatchObject({ status: 400, json: { code: 'identity.reset_invalid' } });
    },
  );

  it('are held to the rules by the server', async () => {
    const { email, token } = await someone();
    const mailed = await mailedToken(email);
    for (const password of ['short', 'x'.repeat(129), '', email]) {
      const answer = await http().post('/v1/auth/reset-password', { token: mailed, password });
      expect(answer).toMatchObject({ status: 400, json: { errors: [{ pointer: '/password' }] } });
      const change = { currentPassword: 'correct horse battery', newPassword: password };
      expect(await http().post('/v1/me/password', change, { as: token })).toMatchObject({
        status: 400,
        json: { errors: [{ pointer: '/newPassword' }] },
      });
    }
  });

  it('are reset by the page of the link: opening it uses nothing, its form does', async () => {
    const { email } = await someone();
    const token = await mailedToken(email);
    const page = await http().get(`/reset-password?token=${token}`);
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
    });
    expect(page.text).toContain(`<input type="hidden" name="token" value="${token}">`);
    expect(page.text).toContain('<form method="post" action="/reset-password">');
    const press = (password: string) => http().submit('/reset-password', { token, password });
    expect((await press('short')).text).toContain('The password must have at least 10 characters.');
    expect((await press(email)).text).toContain('password must not be your e-mail address.');
    expect((await press(NEW)).text).toContain('Your password is changed');
    expect((await press(NEW)).text).toContain('This link does not work');
    expect((await http().post('/v1/auth/sign-in', { email, password: NEW })).status).toBe(200);
  });

  it.each(['', '?token=', '?token=%3Cscript%3E', '?token=a&token=b'])(
    'have a page for the broken link %j, and nothing of it',
    async (query) => {
      const page = await http().get(`/reset-password${query}`);
      expect(page.status).toBe(200);
      expect(page.text).toContain('The link is not complete');
      expect(page.text).not.toContain('script');
      expect((await http().submit('/reset-password', { password: NEW })).text).toContain('not complete');
    },
  );

  it('are changed by who knows the present one, whose other sessions end', async () => {
    const { email, password, token } = await someone();
    const other = (await http().post('/v1/auth/sign-in', { email, password })).json.token;
    const body = { currentPassword: password, newPassword: NEW };
    expect((await http().post('/v1/me/password', body, { as: token })).status).toBe(204);
    expect((await http().get('/v1/me', { as: token })).status).toBe(200);
    expect((await http().get('/v1/me', { as: other })).status).toBe(401);
    expect(identity().mail.subjectsTo(email).at(-1)).toBe('Your password was changed');
    expect(await http().post('/v1/me/password', body, { as: token })).toMatchObject({
      status: 403,
      json: { code: 'identity.wrong_password', errors: [{ pointer: '/currentPassword' }] },
    });
  });

  it('are guessed ten times at most by who has a stolen session', async () => {
    const { token, password } = await someone();
    const guess = (currentPassword: string) =>
      http().post('/v1/me/password', { currentPassword, newPassword: NEW }, { as: token });
    for (let at = 0; at < 10; at += 1) expect((await guess(`guess number ${at}`)).status).toBe(403);
    const refused = await guess(password);
    expect(refused).toMatchObject({
      status: 429,
      json: { code: 'request.too_many', limit: 'password-check' },
    });
    expect(refused.headers['retry-after']).toBe('90');
  });

  it('cannot be changed where there is none yet', async () => {
    const { token, userId } = await someone();
    await identity().sql('update users set password_hash = null where id = $1', [userId]);
    const answer = await http().post(
      '/v1/me/password',
      { currentPassword: 'whatever it was', newPassword: NEW },
      { as: token },
    );
    expect(answer).toMatchObject({ status: 409, json: { code: 'identity.no_password' } });
  });

  it('say in headers where the address stands with its mails', async () => {
    const { email } = await someone();
    const answers = [];
    for (let at = 0; at < 4; at += 1) answers.push(await http().post('/v1/auth/forgot-password', { email }));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 429]);
    expect(answers[0]?.headers).toMatchObject({
      'ratelimit-policy': '"mail-ip";q=200000;w=3600, "reset-mail";q=3;w=3600',
      ratelimit: expect.stringMatching(/^"mail-ip";r=1\d{5};t=\d+, "reset-mail";r=2;t=1200$/),
    });
    expect(answers[3]?.headers).toMatchObject({
      ratelimit: expect.stringContaining('"reset-mail";r=0;t=1200'),
      'retry-after': '1200',
    });
  });
});
