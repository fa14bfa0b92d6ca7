import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  discovery,
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

const claims = z.object({
  sub: z.string().min(1).max(255),
  email: providerAddress.catch(null),
  email_verified: z.boolean().catch(false),
  name: personName.catch(null),
});

/** Google, or another OpenID Connect issuer that puts address and name into its ID token. */
export class GoogleProvider implements OAuthProvider {
  readonly id = 'google';
  #discovered: Promise<Configuration> | null = null;

  constructor(
    private readonly issuer: string,
    private readonly client: OAuthClient,
  ) {}

  authorizationUrl({ state, nonce, verifier }: OAuthSecrets): Promise<URL> {
    return askingProvider(PROVIDER_TITLES[this.id], async () =>
      buildAuthorizationUrl(await this.#configuration(), {
        redirect_uri: this.client.redirectUri,
        scope: 'openid email profile',
        state,
        nonce,
        code_challenge: sha256(verifier).toString('base64url'),
        code_challenge_method: 'S256',
      }),
    );
  }

  profileOf(callback: URLSearchParams, secrets: OAuthSecrets): Promise<OAuthProfile> {
    return askingProvider(PROVIDER_TITLES[this.id], async () => {
      const url = new URL(`${this.client.redirectUri}?${callback.toString()}`);
      const tokens = await authorizationCodeGrant(await this.#configuration(), url, {
        expectedState: secrets.state,
        expectedNonce: secrets.nonce,
        pkceCodeVerifier: secrets.verifier,
        idTokenExpected: true,
      });
      const { sub, email, email_verified: verified, name } = claims.parse(tokens.claims());
      return { provider: this.id, subject: sub, verifiedEmail: verified ? email : null, name };
    });
  }

  /** What the issuer says of itself is asked for once; when that failed, the next sign-in asks again. */
  #configuration(): Promise<Configuration> {
    this.#discovered ??= this.#discover().catch((error: unknown) => {
      this.#discovered = null;
      throw error;
    });
    return this.#discovered;
  }

  #discover(): Promise<Configuration> {
    const { clientId, clientSecret, timeoutSeconds } = this.client;
    const issuer = new URL(this.issuer);
    // Only an operator who wrote http:// gets http.
    const execute = issuer.protocol === 'http:' ? [allowInsecureRequests] : [];
    return discovery(issuer, clientId, clientSecret, undefined, { timeout: timeoutSeconds, execute });
  }
}
