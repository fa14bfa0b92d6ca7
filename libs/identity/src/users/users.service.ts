import { Injectable } from '@nestjs/common';
import { Db } from '#platform';
import { type UserView, toUserView } from './users.dto';
import { UsersRepository } from './users.repository';

/** What others may ask about people. */
@Injectable()
export class Users {
  constructor(
    private readonly db: Db,
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
}
