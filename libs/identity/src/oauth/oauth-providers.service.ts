import { Injectable } from '@nestjs/common';
import { AppError, Config, platformErrors, publicUrlOf, type Secret } from '#platform';
import { GithubProvider } from './github.provider';
import { GoogleProvider } from './google.provider';
import { type OAuthClient, type OAuthProvider, PROVIDER_TITLES, type ProviderId } from './oauth-provider';

const TIMEOUT_SECONDS = 5;

/** A way to sign in that a page can offer. */
export interface ProviderOption {
  readonly id: ProviderId;
  readonly title: string;
  /** Where a browser is sent to begin. */
  readonly path: string;
}

/** The providers that this installation is configured for. */
@Injectable()
export class OAuthProviders {
  readonly #configured: readonly OAuthProvider[];

  constructor(private readonly config: Config) {
    const { values } = config;
    const google = this.#client('google', values.googleClientId, values.googleClientSecret);
    const github = this.#client('github', values.githubClientId, values.githubClientSecret);
    const githubAddresses = { url: values.githubUrl, apiUrl: values.githubApiUrl };
    this.#configured = [
      ...(google ? [new GoogleProvider(values.googleIssuerUrl, google)] : []),
      ...(github ? [new GithubProvider(githubAddresses, github)] : []),
    ];
  }

  /** What sign-in pages offer, in the order in which they should. */
  options(): readonly ProviderOption[] {
    return this.#configured.map(({ id }) => ({
      id,
      title: PROVIDER_TITLES[id],
      path: `/v1/auth/oauth/${id}`,
    }));
  }

  /** Throws request.not_found for one that is not configured. */
  get(id: string): OAuthProvider {
    const provider = this.#configured.find((one) => one.id === id);
    if (provider) return provider;
    throw new AppError(platformErrors.not_found, {
      detail: 'This installation does not offer signing in with this provider. Sign in another way.',
    });
  }

  #client(id: ProviderId, clientId: string | null, secret: Secret | null): OAuthClient | null {
    if (clientId === null || secret === null) return null;
    const redirectUri = `${publicUrlOf(this.config)}/v1/auth/oauth/${id}/callback`;
    return { clientId, clientSecret: secret.reveal(), redirectUri, timeoutSeconds: TIMEOUT_SECONDS };
  }
}
