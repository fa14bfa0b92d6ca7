import { Injectable } from '@nestjs/common';
import {
  AccessChanges,
  AppError,
  type Client,
  Clock,
  Config,
  Db,
  Ids,
  Mail,
  publicUrlOf,
  type Tx,
} from '#platform';
import { identityErrors } from '../errors';
import { AccountWorkspaces, type WorkspaceFootprint } from '../ports';
import { type CheckedPerson, PersonCheck } from '../second-factor/person-check.service';
import { UserTokens } from '../tokens/user-tokens.service';
import { Credentials } from '../users/credentials.service';
import { findPasswordHash, lockUser } from '../users/user.sql';
import type { DeletionPreview, DeletionRequested } from './account-deletion.dto';
import { deletedMail, deletionMail } from './account-deletion.mail';
import { countOwn, deleteUser, recordDeletion } from './account-deletion.sql';

const LIFETIME_MINUTES = 24 * 60;

/**
 * Takes accounts away: a look at what would go, a mail, and the deletion by the mail's token. Whoever owns a workspace
 * with others in it hands it over first.
 */
@Injectable()
export class AccountDeletion {
  constructor(
    private readonly db: Db,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly credentials: Credentials,
    private readonly persons: PersonCheck,
    private readonly tokens: UserTokens,
    private readonly workspaces: AccountWorkspaces,
    private readonly accessChanges: AccessChanges,
    private readonly mail: Mail,
  ) {}

  /** What would go with an account. */
  async preview(userId: string): Promise<DeletionPreview> {
    const footprint = await this.workspaces.footprintOf(userId);
    const [own] = await this.db.executeControl(countOwn, userId, this.clock.pinned());
    return {
      blocked: footprint.owned.some(({ otherMembers }) => otherMembers > 0),
      ownedWorkspaces: [...footprint.owned],
      counts: {
        workflows: footprint.workflows,
        joinedWorkspaces: footprint.joined,
        apiKeys: own?.apiKeys ?? 0,
        sessions: own?.sessions ?? 0,
      },
    };
  }

  /** What would go by a token, without using it; null for a token that does nothing. */
  async previewBy(token: string): Promise<DeletionPreview | null> {
    const found = await this.tokens.find('delete_account', token);
    return found && this.preview(found.userId);
  }

  /**
   * Mails the token that deletes. Throws identity.wrong_password, and identity.account_owns_workspaces while others depend
   * on the account.
   */
  async request(userId: string, password: string | undefined): Promise<DeletionRequested> {
    const checked = await this.#confirm(userId, password);
    refuseWhenBlocked(await this.workspaces.footprintOf(userId));
    return this.db.control(async (tx) => {
      const user = await this.persons.hold(tx, checked);
      const { token, expiresAt } = await this.tokens.issue(tx, {
        userId,
        purpose: 'delete_account',
        lifetimeMinutes: LIFETIME_MINUTES,
      });
      const link = `${publicUrlOf(this.config)}/delete-account?token=${token}`;
      await this.mail.enqueue(tx, deletionMail({ to: user.email, name: user.name, link }));
      return { mailedTo: user.email, expiresAt: expiresAt.toISOString() };
    });
  }

  /**
   * Deletes by a token: workspaces of the account alone go with it, all others are left, keys and sessions end. All of it
   * or nothing. Throws identity.deletion_invalid for a token that is unknown, used or expired, and
   * identity.account_owns_workspaces.
   */
  async confirm(token: string, client: Client): Promise<void> {
    const found = await this.tokens.find('delete_account', token);
    if (!found) throw invalidToken();
    const { userId } = found;
    const { counts } = await this.preview(userId);
    await this.db.control(async (tx) => {
      // In the order of everybody's locks: memberships and workspaces, then the person, then the person's tokens.
      const left = await this.workspaces.leaveAll(tx, { userId, client });
      await tx.query(lockUser, userId);
      if (!(await this.tokens.use(tx, 'delete_account', token))) throw invalidToken();
      refuseWhenBlocked(left);
      await this.#delete(tx, userId);
      await tx.query(
        recordDeletion,
        this.ids.next(),
        userId,
        JSON.stringify(counts),
        client.ip,
        client.userAgent,
        this.clock.pinned(),
      );
    });
  }

  /** A stolen session is not enough to ask. Whoever never had a password has proven the mailbox by their provider. */
  async #confirm(userId: string, password: string | undefined): Promise<CheckedPerson> {
    const [account] = await this.db.executeControl(findPasswordHash, userId);
    if (account?.passwordHash) return this.credentials.confirm(userId, password ?? '', '/password');
    return { userId, passwordHash: null };
  }

  async #delete(tx: Tx, userId: string): Promise<void> {
    const [gone] = await tx.query(deleteUser, userId);
    if (!gone) throw invalidToken();
    await this.accessChanges.announce(tx, `user:${userId}`);
    await this.mail.enqueue(tx, deletedMail({ to: gone.email, name: gone.name }));
  }
}

function refuseWhenBlocked({ owned }: Pick<WorkspaceFootprint, 'owned'>): void {
  const shared = owned.filter(({ otherMembers }) => otherMembers > 0);
  if (shared.length === 0) return;
  const names = shared.map(({ name }) => `"${name}"`).join(', ');
  throw new AppError(identityErrors.account_owns_workspaces, {
    detail: `You own ${names}, and others are members there. Hand the ownership over or remove the others first.`,
    meta: { workspaces: shared.map(({ id, name, otherMembers }) => ({ id, name, otherMembers })) },
  });
}

function invalidToken(): AppError {
  return new AppError(identityErrors.deletion_invalid, {
    detail: 'This link is not known, was used already, or is older than 24 hours.',
    problems: [{ pointer: '/token', code: 'invalid', message: 'is not known, used already, or expired' }],
  });
}
