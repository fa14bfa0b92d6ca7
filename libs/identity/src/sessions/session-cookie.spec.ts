import { parseConfig, clientOf } from '#platform';
import { SessionCookie, sessionCookieOf } from './session-cookie';

const cookieOf = (cookie?: string) => sessionCookieOf({ headers: cookie === undefined ? {} : { cookie } });

function headerSetBy(publicUrl: string, act: (cookie: SessionCookie, reply: never) => void): string {
  const set: string[] = [];
  const reply = { header: (_name: string, value: string) => set.push(value) };
  act(new SessionCookie(parseConfig({ PUBLIC_URL: publicUrl })), reply as never);
  return set.join();
}

describe('The session cookie', () => {
  const session = { token: 'abc', expiresAt: new Date('2026-01-12T12:00:00Z') };

  it('is out of reach of scripts and of other sites, and lives as long as the session', () => {
    expect(headerSetBy('http://localhost:3000', (cookie, reply) => cookie.set(reply, session))).toBe(
      'millrace_session=abc; Path=/; Expires=Mon, 12 Jan 2026 12:00:00 GMT; HttpOnly; SameSite=Lax',
    );
  });

  it('goes over TLS only where the installation is reached by TLS', () => {
    expect(headerSetBy('https://app.example.com', (cookie, reply) => cookie.set(reply, session))).toMatch(
      /; Secure$/,
    );
  });

  it('is taken back with a date in the past', () => {
    expect(headerSetBy('http://localhost:3000', (cookie, reply) => cookie.clear(reply))).toMatch(
      /^millrace_session=; Path=\/; Expires=Thu, 01 Jan 1970 /,
    );
  });

  it('is found among others, and only under its own name', () => {
    expect(cookieOf('millrace_session=abc')).toBe('abc');
    expect(cookieOf('theme=dark; millrace_session=abc;x=1')).toBe('abc');
    expect(cookieOf('not_millrace_session=abc')).toBeNull();
    expect(cookieOf('x=millrace_session=abc')).toBeNull();
    expect(cookieOf(undefined)).toBeNull();
  });
});

describe('The client of a request', () => {
  it('has an address that PostgreSQL takes, and a user agent of bearable length', () => {
    const client = clientOf({ ip: 'fe80::1%eth0', headers: { 'user-agent': 'x'.repeat(2_000) } });
    expect(client).toEqual({ ip: 'fe80::1', userAgent: 'x'.repeat(500) });
    expect(clientOf({ ip: 'unknown', headers: {} })).toEqual({ ip: null, userAgent: null });
  });
});
