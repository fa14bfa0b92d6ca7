import { Injectable } from '@nestjs/common';
import { AppError, type Client, Clock, Config, Db, Ids, type Tx } from '#platform';
import { identityErrors } from '../errors';
import { type Admitted, PersonalWorkspaces, SignUpInvitations } from '../ports';
import { Sessions, type StartedSession } from '../sessions/sessions.service';
import { EmailVerification } from '../verification/email-verification.service';
import { findUserByEmail } from './find-user-by-email.sql';
import { PasswordHasher } from './password-hasher';
import type { SignUpInput } from './sign-up.dto';
import { refuseOtherTerms } from './terms-in-force';
import { type UserView, toUserView } from './users.dto';
import { emailTaken, type NewUser, UsersRepository } from './users.repository';

/** An account about to be made, whichever way its owner came. What can be refused before has been. */
export interface AccountToMake {
  readonly email: string;
  /** Null: what the address calls its owner. */
  readonly name: string | null;
  /** Null: its owner signs in with a provider. */
  readonly passwordHash: string | null;
  /** Whether the address is proven already; else a mail asks its owner to. */
  readonly emailVerified: boolean;
  readonly acceptTerms: string;
  readonly workspaceName?: string | undefined;
  /** The token of an invitation to follow. */
  readonly invitation?: string | undefined;
  readonly remember: boolean;
  readonly client: Client;
}

/** A new account and the session it begins with. */
export interface SignedUp {
  readonly user: UserView;
  readonly session: StartedSession;
}

/**
 * Makes accounts. A new account is signed in at once and may be used; that its address is not verified yet is part of
 * every answer about it.
 */
@Injectable()
export class SignUp {
  constructor(
    private readonly db: Db,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly hasher: PasswordHasher,
    private readonly users: UsersRepository,
    private readonly sessions: Sessions,
    private readonly verification: EmailVerification,
    private readonly workspaces: PersonalWorkspaces,
    private readonly invitations: SignUpInvitations,
  ) {}

  /**
   * Makes an account with a password. An invitation that was mailed to the very address proves it. Throws
   * identity.email_taken, identity.sign_up_closed, and what is wrong with the invitation.
   */
  async signUp(input: SignUpInput, client: Client): Promise<SignedUp> {
    const admitted = await this.admit(input);
    refuseOtherTerms(this.config, input.acceptTerms, '/acceptTerms');
    await this.#refuseKnownAddress(input.email);
    return this.create({
      email: input.email,
      name: input.name ?? null,
      passwordHash: await this.hasher.hash(input.password),
      emailVerified: admitted?.provesAddress ?? false,
      acceptTerms: input.acceptTerms,
      workspaceName: input.workspaceName,
      invitation: input.invitation,
      remember: false,
      client,
    });
  }

  /**
   * Whoever holds an invitation comes in whatever the mode; says what it tells, null without one. Throws
   * identity.sign_up_closed, and what is wrong with the invitation.
   */
  async admit({ email, invitation }: Pick<AccountToMake, 'email' | 'invitation'>): Promise<Admitted | null> {
    if (invitation !== undefined) return this.invitations.check(invitation, email);
    const { signupMode } = this.config.values;
    if (signupMode === 'open') return null;
    const instead =
      signupMode === 'waitlist'
        ? 'Put your address on the waiting list (POST /v1/auth/waitlist), or ask a member to invite you.'
        : 'Ask a member to invite you.';
    throw new AppError(identityErrors.sign_up_closed, {
      detail: `This installation takes new accounts by invitation only. ${instead}`,
    });
  }

  /** Whether somebody accepted the terms in force. */
  acceptsTerms(accepted: string | undefined): accepted is string {
    return accepted === this.config.values.termsVersion;
  }

  /**
   * Makes account, terms acceptance, personal workspace and session in one transaction, with the membership that an
   * invitation gives, the mail for an address that is not proven, and whatever else `also` adds: all or none. Throws
   * identity.email_taken.
   */
  async create(
    account: AccountToMake,
    also: (tx: Tx, userId: string) => Promise<void> = async () => undefined,
  ): Promise<SignedUp> {
    const user = this.#userOf(account);
    const { id: userId } = user;
    const { acceptTerms: version, emailVerified, invitation, remember, client } = account;
    const prepared = await this.workspaces.prepare();
    const session = await this.db.control(async (tx) => {
      await this.users.insert(tx, user);
      await this.users.acceptTerms(tx, { userId, version, acceptedAt: user.createdAt });
      const name = account.workspaceName ?? workspaceNameFor(user.name);
      await this.workspaces.create(tx, prepared, { userId, name });
      if (invitation !== undefined) {
        await this.invitations.accept(tx, invitation, { userId, emailVerified, client });
      }
      if (!emailVerified) await this.verification.send(tx, user);
      await also(tx, userId);
      return this.sessions.start(tx, { userId, remember, client });
    });
    return { user: toUserView(user), session };
  }

  #userOf({ email, name, passwordHash, emailVerified }: AccountToMake): NewUser {
    const createdAt = this.clock.now();
    return {
      id: this.ids.next(),
      email,
      name: name ?? nameFrom(email),
      passwordHash,
      emailVerifiedAt: emailVerified ? createdAt : null,
      createdAt,
    };
  }

  /** Spares a known address the hash and the place of a workspace. Two at once may pass; the unique index decides. */
  async #refuseKnownAddress(email: string): Promise<void> {
    const [account] = await this.db.executeControl(findUserByEmail, email);
    if (account) throw emailTaken(email);
  }
}

/** Someone who gives no name is called what their address calls them. */
function nameFrom(email: string): string {
  return email.slice(0, email.indexOf('@'));
}

/** Cut by whole characters, to a length that every list can show. */
function workspaceNameFor(person: string): string {
  return `${Array.from(person).slice(0, 60).join('')}'s workspace`;
}
