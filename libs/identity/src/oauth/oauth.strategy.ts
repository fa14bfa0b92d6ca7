import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { constantTimeEqual } from '#platform';
import { RequestStrategy } from '../auth/request-strategy';
import { type OAuthAttempt, OAuthAttempts } from './oauth-attempts.service';
import { oauthFailed } from './oauth-faults';
import type { OAuthProfile } from './oauth-provider';
import { OAuthProviders } from './oauth-providers.service';

/** Someone who came back from a provider: who they are there, and what they had set out for. */
export interface OAuthReturn {
  readonly profile: OAuthProfile;
  readonly attempt: OAuthAttempt;
}

/** A callback of a provider. */
export type CallbackRequest = Pick<
  FastifyRequest<{ Params: { provider: string } }>,
  'headers' | 'params' | 'url'
>;

/**
 * Passport's `oauth`: the callback of a provider, in the browser that set out. Strategies that redirect by themselves do
 * not work on Fastify, so the way out is a route of ours.
 */
@Injectable()
export class OAuthStrategy extends PassportStrategy(RequestStrategy, 'oauth') {
  constructor(
    private readonly providers: OAuthProviders,
    private readonly attempts: OAuthAttempts,
  ) {
    super();
  }

  async validate(request: CallbackRequest): Promise<OAuthReturn> {
    const provider = this.providers.get(request.params.provider);
    const attempt = this.attempts.of(request);
    if (attempt?.provider !== provider.id) {
      throw oauthFailed(
        'This browser has not set out to sign in, has been away too long, or came back before.',
      );
    }
    const [, query = ''] = request.url.split('?', 2);
    const callback = new URLSearchParams(query);
    // Whoever cannot name the state was sent here by somebody else, with a code that is not theirs.
    if (!constantTimeEqual(callback.get('state') ?? '', attempt.state)) {
      throw oauthFailed('This way back does not belong to the way out of this browser.');
    }
    return { profile: await provider.profileOf(callback, attempt), attempt };
  }
}
