import { Injectable } from '@nestjs/common';
import { AppError, Clock, Config, Db, Ids } from '#platform';
import { identityErrors } from '../errors';
import { PersonalWorkspaces } from '../ports';
import type { Client } from '../sessions/client';
import { Sessions, type StartedSession } from '../sessions/sessions.service';
import { EmailVerification } from '../verification/email-verification.service';
import { findUserByEmail } from './find-user-by-email.sql';
import { PasswordHasher } from './password-hasher';
import { type SignUpInput, TERMS_VERSION } from './sign-up.dto';
import { type UserView, toUserView } from './users.dto';
import { emailTaken, type NewUser, UsersRepository } from './users.repository';

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
  ) {}

  /**
   * Makes account, terms acceptance, personal workspace, verification mail and session in one transaction: all or none.
   * Throws identity.email_taken and identity.sign_up_closed.
   */
  async signUp(input: SignUpInput, client: Client): Promise<SignedUp> {
    this.#refuseWhenClosed();
    await this.#refuseKnownAddress(input.email);
    const user: NewUser = {
      id: this.ids.next(),
      email: input.email,
      name: input.name ?? nameFrom(input.email),
      passwordHash: await this.hasher.hash(input.password),
      emailVerifiedAt: null,
      createdAt: this.clock.now(),
    };
    const prepared = await this.workspaces.prepare();
    const session = await this.db.control(async (tx) => {
      await this.users.insert(tx, user);
      await this.users.acceptTerms(tx, {
        userId: user.id,
        version: TERMS_VERSION,
        acceptedAt: user.createdAt,
      });
      const name = input.workspaceName ?? workspaceNameFor(user.name);
      await this.workspaces.create(tx, prepared, { userId: user.id, name });
      await this.verification.send(tx, user);
      return this.sessions.start(tx, { userId: user.id, remember: false, client });
    });
    return { user: toUserView(user), session };
  }

  #refuseWhenClosed(): void {
    if (this.config.values.signupMode === 'open') return;
    throw new AppError(identityErrors.sign_up_closed, {
      detail: 'This installation takes new accounts by invitation only. Ask a member to invite you.',
    });
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
