import { Injectable } from '@nestjs/common';
import { Users } from '#identity';
import { type MemberName, MemberNames } from '#workspaces';

/** Members are shown by the names that identity knows them by. */
@Injectable()
export class MemberNamesAdapter extends MemberNames {
  constructor(private readonly users: Users) {
    super();
  }

  async of(userIds: readonly string[]): Promise<ReadonlyMap<string, MemberName>> {
    const users = await this.users.of(userIds);
    return new Map(users.map(({ id, name, email }) => [id, { name, email }]));
  }
}
