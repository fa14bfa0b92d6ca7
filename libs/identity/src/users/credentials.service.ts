import { Injectable } from '@nestjs/common';
import { Db } from '#platform';
import { findUserByEmail } from './find-user-by-email.sql';
import { PasswordHasher } from './password-hasher';

/** Checks an e-mail address and a password. */
@Injectable()
export class Credentials {
  constructor(
    private readonly db: Db,
    private readonly hasher: PasswordHasher,
  ) {}

  /**
   * The id of the account, null for an unknown address as for a wrong password. Each way costs one lookup and one
   * check of a hash, so that the time of the answer does not say which it was.
   */
  async check(email: string, password: string): Promise<string | null> {
    const [account] = await this.db.executeControl(findUserByEmail, email);
    const passwordHash = account?.passwordHash ?? (await this.hasher.decoy());
    const matches = await this.hasher.verify(passwordHash, password);
    return matches && account?.passwordHash ? account.id : null;
  }
}
