/** With whom people can sign in. */
export type ProviderId = 'google' | 'github';

/** What people call them. */
export const PROVIDER_TITLES: Readonly<Record<ProviderId, string>> = { google: 'Google', github: 'GitHub' };

/** Who somebody is, as the provider vouches for it. */
export interface OAuthProfile {
  readonly provider: ProviderId;
  /** Names the person at the provider for ever; addresses and names there may change. */
  readonly subject: string;
  /** An address the provider has verified; null when there is none. Others are worth nothing here. */
  readonly verifiedEmail: string | null;
  readonly name: string | null;
}

/** What ties a callback to the browser that set out: none of it can be guessed. */
export interface OAuthSecrets {
  readonly state: string;
  readonly nonce: string;
  /** PKCE: its hash goes along on the way out, itself on the way back. */
  readonly verifier: string;
}

/** The OAuth client that an operator registered with a provider. */
export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where the provider sends browsers back to. */
  readonly redirectUri: string;
  /** How long a call to the provider may take. */
  readonly timeoutSeconds: number;
}

/** Sends browsers to a provider, and learns from it who came back. */
export interface OAuthProvider {
  readonly id: ProviderId;
  /** Throws request.unavailable. */
  authorizationUrl(secrets: OAuthSecrets): Promise<URL>;
  /** The person behind a callback whose state was found right. Throws identity.oauth_failed and request.unavailable. */
  profileOf(callback: URLSearchParams, secrets: OAuthSecrets): Promise<OAuthProfile>;
}
