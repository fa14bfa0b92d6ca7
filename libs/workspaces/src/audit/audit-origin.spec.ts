import { AppError, type Principal } from '#platform';
import { originOf } from './audit-origin';

const user: Principal = { kind: 'user', userId: 'u', sessionId: 's', via: 'cookie' };

describe('originOf', () => {
  it('names the person or the key', () => {
    const key: Principal = { kind: 'api_key', apiKeyId: 'k', workspaceId: 'w', role: 'member' };
    expect(originOf({ principal: user, headers: {} }).actor).toEqual({ kind: 'user', id: 'u' });
    expect(originOf({ principal: key, headers: {} }).actor).toEqual({ kind: 'api_key', id: 'k' });
  });

  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '::ffff:203.0.113.7'],
    ['fe80::1%eth0', 'fe80::1'],
    ['unknown, 10.0.0.1', null],
    [undefined, null],
  ])('takes the address %j as %j', (ip, expected) => {
    expect(originOf({ principal: user, headers: {}, ...(ip === undefined ? {} : { ip }) }).ip).toBe(expected);
  });

  it('cuts a long user agent and takes an empty one for none', () => {
    expect(
      originOf({ principal: user, headers: { 'user-agent': 'x'.repeat(9_000) } }).userAgent,
    ).toHaveLength(500);
    expect(originOf({ principal: user, headers: { 'user-agent': '' } }).userAgent).toBeNull();
  });

  it('refuses a request nobody has signed in for', () => {
    expect(() => originOf({ headers: {} })).toThrow(AppError);
  });
});
