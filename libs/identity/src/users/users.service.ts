import { Injectable } from '@nestjs/common';
import { Clock, Db, type Tx } from '#platform';
import { proveEmail } from '../verification/prove-email.sql';
import { findUserByEmail } from './find-user-by-email.sql';
import { type UserView, toUserView } from './users.dto';
import { lockUser } from './user.sql';
import { UsersRepository } from './users.repository';

/** What others may ask about people. */
@Injectable()
export class Users {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly users: UsersRepository,
  ) {}

  /** A person; null when there is none (any more). */
  async find(userId: string): Promise<UserView | null> {
    const user = await this.db.control((tx) => this.users.byId(tx, userId));
    return user && toUserView(user);
  }

  /** The people behind some ids, in no order; ids of nobody are left out. For lists that show names and addresses. */
  async of(userIds: readonly string[]): Promise<readonly UserView[]> {
    if (userIds.length === 0) return [];
    const users = await this.db.control((tx) => this.users.byIds(tx, userIds));
    return users.map(toUserView);
  }

  /** The id of an address's account, whatever its letter case; null when there is none. */
  async idOf(email: string): Promise<string | null> {
    const [account] = await this.db.executeControl(findUserByEmail, email);
    return account?.id ?? null;
  }

  /** A person as they stay until a control transaction ends: neither the address nor the account can go meanwhile. */
  async lock(tx: Tx, userId: string): Promise<UserView | null> {
    const [user] = await tx.query(lockUser, userId);
    return user ? toUserView(user) : null;
  }

  /** Records that the present address of a locked person is theirs: they hold what only its mailbox has seen. */
  async prove(tx: Tx, userId: string, email: string): Promise<void> {
    await tx.query(proveEmail, userId, email, this.clock.pinned());
  }
}
