import { httpOf, signedUp, useIdentityHttp } from '../testing/http';

describe('The list of attempts to sign in', () => {
  const identity = useIdentityHttp();
  const http = () => httpOf(identity());

  it('shows one’s own, newest first, page by page', async () => {
    const { email, password, token } = await signedUp(identity());
    const stranger = await signedUp(identity());
    const headers = { 'user-agent': 'a phone' };
    await http().post('/v1/auth/sign-in', { email, password: 'wrong' }, { headers });
    await http().post('/v1/auth/sign-in', { email: stranger.email, password: 'wrong' });
    await http().post('/v1/auth/sign-in', { email, password }, { headers });
    const first = await http().get('/v1/me/sign-ins?limit=1', { as: token });
    const shared = {
      method: 'password',
      ip: '127.0.0.1',
      userAgent: 'a phone',
      at: '2026-01-05T12:00:00.000Z',
    };
    expect(first.json).toEqual({
      data: [{ id: expect.any(String), outcome: 'succeeded', ...shared }],
      hasMore: true,
      nextCursor: expect.any(String),
    });
    const second = await http().get(`/v1/me/sign-ins?cursor=${first.json.nextCursor}`, { as: token });
    expect(second.json).toEqual({
      data: [{ id: expect.any(String), outcome: 'wrong_password', ...shared }],
      hasMore: false,
      nextCursor: null,
    });
    expect((await http().get('/v1/me/sign-ins?cursor=nonsense', { as: token })).status).toBe(400);
  });
});
