import { Injectable } from '@nestjs/common';
import { AppError, Clock, Db, Mail, platformErrors, type Tx } from '#platform';
import { identityErrors } from '../errors';
import { lockUser } from '../users/user.sql';
import { UsersRepository } from '../users/users.repository';
import {
  deleteIdentity,
  findAddressOwner,
  findIdentity,
  type IdentityRow,
  insertIdentity,
  listIdentities,
  matchIdentity,
} from './identity.sql';
import { linkedMail, unlinkedMail } from './identity-mail';
import { type OAuthProfile, PROVIDER_TITLES, type ProviderId } from './oauth-provider';

/** A profile that can become somebody's way to sign in. */
export interface VouchedProfile extends OAuthProfile {
  readonly verifiedEmail: string;
}

/** Which people of providers belong to which accounts. */
@Injectable()
export class Identities {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly mail: Mail,
    private readonly users: UsersRepository,
  ) {}

  /** The account of a person of a provider, whom it knows by the subject and not by the address. */
  async find(tx: Tx, { provider, subject }: OAuthProfile): Promise<string | null> {
    const [identity] = await tx.query(findIdentity, provider, subject);
    return identity?.userId ?? null;
  }

  /**
   * The account that a person of a provider is let into, linked to it if it was not. Null when the address has no account.
   * Throws identity.account_unproven for one that has not proven the address, and identity.provider_linked when it
   * belongs to another person of the provider.
   */
  async match(tx: Tx, profile: VouchedProfile): Promise<string | null> {
    const { provider, subject, verifiedEmail } = profile;
    const [matched] = await tx.query(matchIdentity, provider, subject, verifiedEmail, this.clock.pinned());
    if (matched) {
      await this.#tellLinked(tx, matched.userId, provider);
      return matched.userId;
    }
    // Somebody else may have linked it while the statement waited.
    const linked = await this.find(tx, profile);
    if (linked !== null) return linked;
    const [owner] = await tx.query(findAddressOwner, verifiedEmail);
    if (!owner) return null;
    throw owner.verified ? linkedAlready(provider) : accountUnproven(verifiedEmail);
  }

  /**
   * The way to sign in of an account that is being made in this transaction. Throws identity.identity_taken when the
   * person was given another account meanwhile.
   */
  async insert(tx: Tx, userId: string, profile: VouchedProfile): Promise<void> {
    if (!(await this.#insert(tx, userId, profile))) throw taken(profile.provider);
  }

  /**
   * Links a person of a provider to somebody who is signed in. Throws identity.identity_taken when it is somebody else's
   * already, and identity.provider_linked.
   */
  async link(userId: string, profile: VouchedProfile): Promise<void> {
    await this.db.control(async (tx) => {
      if (await this.#insert(tx, userId, profile)) return this.#tellLinked(tx, userId, profile.provider);
      const owner = await this.find(tx, profile);
      if (owner === userId) return undefined;
      throw owner === null ? linkedAlready(profile.provider) : taken(profile.provider);
    });
  }

  list(userId: string): Promise<readonly IdentityRow[]> {
    return this.db.executeControl(listIdentities, userId);
  }

  /** Takes a provider away. Throws identity.last_sign_in_method when there would be no way in left. */
  async unlink(userId: string, provider: ProviderId): Promise<void> {
    await this.db.control(async (tx) => {
      const [person] = await tx.query(lockUser, userId);
      const [deleted] = await tx.query(deleteIdentity, userId, provider);
      if (person && deleted) await this.mail.enqueue(tx, unlinkedMail(person, PROVIDER_TITLES[provider]));
      else throw await this.#whyNot(tx, userId, provider);
    });
  }

  async #insert(tx: Tx, userId: string, profile: VouchedProfile): Promise<boolean> {
    const { provider, subject, verifiedEmail } = profile;
    const now = this.clock.pinned();
    return (await tx.query(insertIdentity, provider, subject, userId, verifiedEmail, now)).length > 0;
  }

  async #whyNot(tx: Tx, userId: string, provider: ProviderId): Promise<AppError> {
    const identities = await tx.query(listIdentities, userId);
    if (!identities.some((identity) => identity.provider === provider)) {
      return new AppError(platformErrors.not_found, {
        detail: `Your account is not linked to ${PROVIDER_TITLES[provider]}.`,
      });
    }
    return new AppError(identityErrors.last_sign_in_method, {
      detail: `Without ${PROVIDER_TITLES[provider]} you could not sign in any more. Set a password first, by resetting it.`,
    });
  }

  async #tellLinked(tx: Tx, userId: string, provider: ProviderId): Promise<void> {
    const person = await this.users.byId(tx, userId);
    if (person) await this.mail.enqueue(tx, linkedMail(person, PROVIDER_TITLES[provider]));
  }
}

function linkedAlready(provider: ProviderId): AppError {
  const title = PROVIDER_TITLES[provider];
  return new AppError(identityErrors.provider_linked, {
    detail: `This account is linked to another person of ${title}. Sign in with that one, or remove it first.`,
  });
}

function taken(provider: ProviderId): AppError {
  return new AppError(identityErrors.identity_taken, {
    detail: `This person of ${PROVIDER_TITLES[provider]} opens another account here. Remove it there first.`,
  });
}

function accountUnproven(email: string): AppError {
  return new AppError(identityErrors.account_unproven, {
    detail:
      `There is an account for ${email} that has not proven this address, so it may be somebody else's. ` +
      'If it is yours, use the link in the confirmation mail or reset its password, then come back.',
  });
}
