import { randomUUID } from 'node:crypto';
import type { ProviderId } from '../oauth/oauth-provider';
import { TestBrowser } from './browser';
import { environmentFor, type FakeOAuth, type FakePerson, startFakeOAuth } from './fake-oauth';
import { useIdentityHttp } from './http';
import { aSignUp, type Environment, type IdentityApp } from './identity-app';

/** How browsers reach the application under test. */
export const PUBLIC_URL = 'http://localhost:3000';

/** An application that offers both providers, which are real servers of this file. */
export function useOAuth(environment: Environment = {}) {
  const fakes = new Map<ProviderId, FakeOAuth>();
  const fake = (id: ProviderId): FakeOAuth => {
    const found = fakes.get(id);
    if (!found) throw new Error('The providers are ready from beforeAll on.');
    return found;
  };
  beforeAll(async () => {
    for (const id of ['google', 'github'] as const) {
      fakes.set(id, await startFakeOAuth(id, `${PUBLIC_URL}/v1/auth/oauth/${id}/callback`));
    }
  });
  afterAll(async () => {
    for (const one of fakes.values()) await one.close();
  });
  const identity = useIdentityHttp(() => ({
    ...environmentFor('google', fake('google').origin),
    ...environmentFor('github', fake('github').origin),
    ...environment,
  }));

  /** Out to the provider and back to our door, which is not entered yet. */
  async function wayBack(browser: TestBrowser, id: ProviderId, query = ''): Promise<string> {
    const start = await browser.get(`/v1/auth/oauth/${id}${query}`);
    expect(start).toMatchObject({ status: 302 });
    const { pathname, search } = await fake(id).browse(start.location);
    return `${pathname}${search}`;
  }

  async function journey(id: ProviderId, query = '?acceptTerms=1.0', browser = new TestBrowser(identity)) {
    const answer = await browser.get(await wayBack(browser, id, query));
    // Whatever came of it, the cookie of the journey is taken back.
    expect(answer.cookiesSet[0]).toMatch(
      /^millrace_oauth=; Path=\/v1\/auth\/oauth; Expires=Thu, 01 Jan 1970/,
    );
    return { answer, browser };
  }
  return { identity, fake, wayBack, journey };
}

let people = 1_000;

/** Somebody new, with a verified address. */
export function aPerson(more: Partial<FakePerson> = {}): FakePerson {
  people += 1;
  const email = `Ada-${randomUUID()}@example.com`;
  return { subject: String(people), email, verified: true, name: 'Ada Lovelace', ...more };
}

/** What `GET /v1/me` says to a browser. */
export async function meOf(identity: () => IdentityApp, browser: TestBrowser) {
  const headers = { cookie: `millrace_session=${browser.session ?? ''}` };
  return (await identity().app.inject({ method: 'GET', url: '/v1/me', headers })).json();
}

/** Somebody with a password, whose address is proven if `verified`. */
export async function signedUp(identity: () => IdentityApp, email: string, verified: boolean) {
  const body = aSignUp(email);
  const answer = await identity().app.inject({ method: 'POST', url: '/v1/auth/sign-up', payload: body });
  const { user, token } = answer.json();
  if (verified) await identity().sql('update users set email_verified_at = now() where id = $1', [user.id]);
  const browser = new TestBrowser(identity);
  browser.cookies.set('millrace_session', token);
  return { id: String(user.id), token: String(token), password: body.password, browser };
}
