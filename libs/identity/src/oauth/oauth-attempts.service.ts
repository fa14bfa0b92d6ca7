import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Clock, Config, Keys, Random, SecretBox } from '#platform';
import { cookieOf, setCookie } from '../cookie';
import type { OAuthSecrets, ProviderId } from './oauth-provider';

const COOKIE = 'millrace_oauth';
const PATH = '/v1/auth/oauth';
const LIFETIME_MS = 10 * 60_000;
/** A box opens for this purpose alone. */
const CONTEXT = 'oauth-attempt';

const wish = z.object({
  /** The version of the terms that a new account accepts. */
  acceptTerms: z.string().optional(),
  remember: z.boolean(),
  /** Lets somebody in where accounts are made by invitation. */
  invitation: z.string().optional(),
  /** Where to go afterwards, within this site. */
  redirectTo: z.string(),
  /** The person, signed in already, to whom the provider is to be linked. */
  linkUserId: z.string().optional(),
});

const attempt = wish.extend({
  provider: z.enum(['google', 'github']),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  expiresAt: z.number(),
});

/** What somebody wants of signing in with a provider. */
export type OAuthWish = z.output<typeof wish>;

/** A browser that set out to a provider and is not back yet. */
export type OAuthAttempt = z.output<typeof attempt>;

/**
 * Remembers who set out to a provider, in a sealed cookie of the browser itself: no other browser can come back in its
 * place, and nothing has to be stored or swept here.
 */
@Injectable()
export class OAuthAttempts {
  readonly #box: SecretBox;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly config: Config,
    keys: Keys,
  ) {
    this.#box = new SecretBox(keys.derive('oauth-attempt'), random);
  }

  /** Gives the browser its cookie, and the secrets to send along. */
  begin(reply: Pick<FastifyReply, 'header'>, provider: ProviderId, wanted: OAuthWish): OAuthSecrets {
    const secrets = {
      state: this.random.token(),
      nonce: this.random.token(),
      verifier: this.random.token(),
    };
    const expiresAt = this.clock.now().getTime() + LIFETIME_MS;
    const begun: OAuthAttempt = { ...wanted, ...secrets, provider, expiresAt };
    const value = this.#box.seal(JSON.stringify(begun), CONTEXT).toString('base64url');
    setCookie(reply, this.config, { name: COOKIE, value, path: PATH, expires: new Date(expiresAt) });
    return secrets;
  }

  /** What the browser set out for; null without a cookie of ours, or with an old one. */
  of(request: Pick<FastifyRequest, 'headers'>): OAuthAttempt | null {
    const value = cookieOf(request, COOKIE);
    const text = value === null ? null : this.#opened(value);
    if (text === null) return null;
    const begun = attempt.parse(JSON.parse(text));
    return begun.expiresAt > this.clock.now().getTime() ? begun : null;
  }

  clear(reply: Pick<FastifyReply, 'header'>): void {
    setCookie(reply, this.config, { name: COOKIE, value: '', path: PATH, expires: new Date(0) });
  }

  #opened(value: string): string | null {
    try {
      return this.#box.open(Buffer.from(value, 'base64url'), CONTEXT);
    } catch {
      // Not sealed here: somebody made it up, or the installation has another key now.
      return null;
    }
  }
}
