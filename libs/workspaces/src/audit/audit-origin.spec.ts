import { AppError, type Principal } from '#platform';
import { originOf } from './audit-origin';

const ip = '203.0.113.7';
const user: Principal = { kind: 'user', userId: 'u', sessionId: 's', via: 'cookie' };

describe('originOf', () => {
  it('names the person or the key', () => {
    const key: Principal = { kind: 'api_key', apiKeyId: 'k', workspaceId: 'w', role: 'member', scopes: null };
    expect(originOf({ principal: user, headers: {}, ip }).actor).toEqual({ kind: 'user', id: 'u' });
    expect(originOf({ principal: key, headers: {}, ip }).actor).toEqual({ kind: 'api_key', id: 'k' });
  });

  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '::ffff:203.0.113.7'],
    ['fe80::1%eth0', 'fe80::1'],
    ['unknown, 10.0.0.1', null],
    ['', null],
  ])('takes the address %j as %j', (given, expected) => {
    expect(originOf({ principal: user, headers: {}, ip: given }).ip).toBe(expected);
  });

  it('cuts a long user agent and takes an empty one for none', () => {
    expect(
      originOf({ principal: user, headers: { 'user-agent': 'x'.repeat(9_000) }, ip }).userAgent,
    ).toHaveLength(500);
    expect(originOf({ principal: user, headers: { 'user-agent': '' }, ip }).userAgent).toBeNull();
  });

  it('refuses a request nobody has signed in for', () => {
    expect(() => originOf({ headers: {}, ip })).toThrow(AppError);
  });
});
