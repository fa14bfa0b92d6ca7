import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretPost,
  Configuration,
  fetchProtectedResource,
} from 'openid-client';
import { z } from 'zod';
import { sha256 } from '#platform';
import { askingProvider } from './oauth-faults';
import {
  type OAuthClient,
  type OAuthProfile,
  type OAuthProvider,
  type OAuthSecrets,
  PROVIDER_TITLES,
} from './oauth-provider';
import { personName, providerAddress } from './profile-fields';

const account = z.object({
  id: z.int().positive(),
  login: z.string(),
  name: personName.catch(null),
});

const addresses = z.array(
  z.object({ email: providerAddress.catch(null), primary: z.boolean(), verified: z.boolean() }),
);

/** The addresses of a GitHub, be it github.com or an Enterprise Server. */
export interface GithubAddresses {
  readonly url: string;
  readonly apiUrl: string;
}

/** GitHub speaks OAuth without OpenID Connect: who somebody is, its API is asked for. */
export class GithubProvider implements OAuthProvider {
  readonly id = 'github';
  readonly #configuration: Configuration;

  constructor(
    private readonly addresses: GithubAddresses,
    private readonly client: OAuthClient,
  ) {
    const { clientId, clientSecret, timeoutSeconds } = client;
    // The issuer is what GitHub calls itself in `iss` of its callbacks.
    const issuer = `${addresses.url}/login/oauth`;
    const endpoints = {
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/access_token`,
    };
    this.#configuration = new Configuration(
      { issuer, ...endpoints },
      clientId,
      {},
      ClientSecretPost(clientSecret),
    );
    this.#configuration.timeout = timeoutSeconds;
    // Only an operator who wrote http:// gets http.
    if ([addresses.url, addresses.apiUrl].some((url) => url.startsWith('http:'))) {
      allowInsecureRequests(this.#configuration);
    }
  }

  async authorizationUrl({ state, verifier }: OAuthSecrets): Promise<URL> {
    return buildAuthorizationUrl(this.#configuration, {
      redirect_uri: this.client.redirectUri,
      scope: 'read:user user:email',
      state,
      code_challenge: sha256(verifier).toString('base64url'),
      code_challenge_method: 'S256',
    });
  }

  profileOf(callback: URLSearchParams, secrets: OAuthSecrets): Promise<OAuthProfile> {
    return askingProvider(PROVIDER_TITLES[this.id], async () => {
      const url = new URL(`${this.client.redirectUri}?${callback.toString()}`);
      const { access_token: token } = await authorizationCodeGrant(this.#configuration, url, {
        expectedState: secrets.state,
        pkceCodeVerifier: secrets.verifier,
      });
      const { id, name, login } = account.parse(await this.#get('/user', token));
      const known = addresses.parse(await this.#get('/user/emails', token));
      const primary = known.find((address) => address.primary && address.verified);
      return {
        provider: this.id,
        subject: String(id),
        verifiedEmail: primary?.email ?? null,
        name: name ?? personName.catch(null).parse(login),
      };
    });
  }

  async #get(path: string, token: string): Promise<unknown> {
    const url = new URL(`${this.addresses.apiUrl}${path}`);
    const headers = new Headers({ accept: 'application/vnd.github+json' });
    const answer = await fetchProtectedResource(this.#configuration, token, url, 'GET', null, headers);
    if (!answer.ok) throw new Error(`GitHub answered ${path} with ${answer.status}.`);
    return answer.json();
  }
}
