import { Injectable } from '@nestjs/common';
import { AppError, type Client, Db, platformErrors } from '#platform';
import { SignIn, type SignInResult } from '../auth/sign-in.service';
import { identityErrors } from '../errors';
import { SignInAttempts } from '../sign-ins/sign-in-attempts.service';
import { SignUp } from '../users/sign-up.service';
import { Identities, type VouchedProfile } from './identities.service';
import type { OAuthReturn } from './oauth.strategy';
import type { OAuthAttempt } from './oauth-attempts.service';
import { type OAuthProfile, PROVIDER_TITLES } from './oauth-provider';

/** Someone who came back from a provider to this browser. */
export interface OAuthArrival extends OAuthReturn {
  readonly client: Client;
  /** Who is signed in in this browser, if anybody. */
  readonly signedInAs: string | null;
}

/** What became of it. */
export type OAuthResult = SignInResult | { readonly status: 'linked' } | { readonly status: 'terms_missing' };

const MADE_MEANWHILE = [identityErrors.email_taken, identityErrors.identity_taken];

/** Decides what a provider's word opens: an account, a new account, or nothing. */
@Injectable()
export class OAuthSignIn {
  constructor(
    private readonly db: Db,
    private readonly identities: Identities,
    private readonly signIns: SignIn,
    private readonly signUps: SignUp,
    private readonly attempts: SignInAttempts,
  ) {}

  /**
   * Signs in whom the provider's person belongs to, by its subject or else by an address that both sides have proven;
   * makes an account when there is none. Throws identity.email_unverified, identity.account_unproven,
   * identity.provider_linked, identity.sign_up_closed, and what is wrong with an invitation.
   */
  async arrive(arrival: OAuthArrival): Promise<OAuthResult> {
    const { attempt } = arrival;
    if (attempt.linkUserId !== undefined) return this.#link(attempt.linkUserId, arrival);
    return (await this.#enter(arrival)) ?? this.#signUp(arrival);
  }

  async #link(userId: string, { profile, signedInAs }: OAuthArrival): Promise<OAuthResult> {
    if (signedInAs !== userId) {
      throw new AppError(platformErrors.unauthenticated, {
        detail: 'You are not signed in any more as the person who set out. Sign in, then start again.',
      });
    }
    await this.identities.link(userId, vouched(profile));
    return { status: 'linked' };
  }

  /** Null when neither the person nor the address is known. */
  #enter({ profile, attempt, client }: OAuthArrival): Promise<SignInResult | null> {
    return this.db.control(async (tx) => {
      const known = await this.identities.find(tx, profile);
      const userId = known ?? (await this.identities.match(tx, vouched(profile)));
      if (userId === null) return null;
      return this.signIns.begin(tx, {
        userId,
        passwordHash: null,
        method: profile.provider,
        remember: attempt.remember,
        client,
      });
    });
  }

  async #signUp(arrival: OAuthArrival): Promise<OAuthResult> {
    const { acceptTerms, invitation } = arrival.attempt;
    const profile = vouched(arrival.profile);
    await this.signUps.admit({ email: profile.verifiedEmail, invitation });
    if (!this.signUps.acceptsTerms(acceptTerms)) return { status: 'terms_missing' };
    try {
      return await this.#create(profile, acceptTerms, arrival);
    } catch (error) {
      if (!(error instanceof AppError) || !MADE_MEANWHILE.includes(error.type)) throw error;
      // A parallel callback of the same person has made the account: this one enters it.
      const entered = await this.#enter(arrival);
      if (entered === null) throw error;
      return entered;
    }
  }

  async #create(
    profile: VouchedProfile,
    acceptTerms: string,
    { attempt, client }: { readonly attempt: OAuthAttempt; readonly client: Client },
  ): Promise<OAuthResult> {
    const { remember, invitation } = attempt;
    const account = {
      email: profile.verifiedEmail,
      name: profile.name,
      passwordHash: null,
      emailVerified: true,
      acceptTerms,
      invitation,
      remember,
      client,
    };
    const signedUp = await this.signUps.create(account, async (tx, userId) => {
      await this.identities.insert(tx, userId, profile);
      await this.attempts.record(tx, { userId, method: profile.provider, outcome: 'succeeded', client });
    });
    return { status: 'signed_in', ...signedUp };
  }
}

/** Only an address that the provider has verified is worth anything. */
function vouched(profile: OAuthProfile): VouchedProfile {
  const { verifiedEmail, provider } = profile;
  if (verifiedEmail !== null) return { ...profile, verifiedEmail };
  const title = PROVIDER_TITLES[provider];
  throw new AppError(identityErrors.email_unverified, {
    detail: `${title} has not verified an e-mail address of yours. Verify one there, then start again.`,
  });
}
