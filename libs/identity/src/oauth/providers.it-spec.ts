import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { platformErrors } from '#platform';
import { GithubProvider } from './github.provider';
import { GoogleProvider } from './google.provider';
import type { OAuthClient, OAuthProvider } from './oauth-provider';

const CLIENT: OAuthClient = {
  clientId: 'one',
  clientSecret: 'other',
  redirectUri: 'http://localhost:3000/callback',
  timeoutSeconds: 0.2,
};
const SECRETS = { state: 's'.repeat(43), nonce: 'n'.repeat(43), verifier: 'v'.repeat(43) };
const CALLBACK = new URLSearchParams({ code: 'c', state: SECRETS.state });

describe('A provider that takes connections and says nothing', () => {
  const silent = createServer(() => undefined);
  let origin = '';
  beforeAll(async () => {
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
    origin = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    silent.closeAllConnections();
    await new Promise((done) => silent.close(done));
  });

  it.each<[string, () => OAuthProvider]>([
    ['google', () => new GoogleProvider(origin, CLIENT)],
    ['github', () => new GithubProvider({ url: origin, apiUrl: origin }, CLIENT)],
  ])('keeps nobody waiting: %s', async (_, make) => {
    await expect(make().profileOf(CALLBACK, SECRETS)).rejects.toMatchObject({
      type: platformErrors.unavailable,
    });
  });
});
