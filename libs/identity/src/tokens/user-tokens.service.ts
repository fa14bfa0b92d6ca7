import { Injectable } from '@nestjs/common';
import { Clock, Db, Random, sha256, type Tx } from '#platform';
import { isSecretToken } from '../secret-token';
import {
  findToken,
  issueToken,
  type TokenPurpose,
  type UserTokenRow,
  useToken,
  withdrawAllTokens,
  withdrawTokens,
} from './user-token.sql';

/** A token to be made. */
export interface NewUserToken {
  readonly userId: string;
  readonly purpose: TokenPurpose;
  readonly lifetimeMinutes: number;
  /** The address that the token proves: for `verify_email`, and only there. */
  readonly email?: string;
  /** What has to be known when it comes back; no secrets. */
  readonly context?: Readonly<Record<string, unknown>>;
}

/** A token as it is handed out. It is known here and to its holder, and is stored nowhere. */
export interface IssuedToken {
  readonly token: string;
  readonly expiresAt: Date;
}

/** Tokens of people that work once: known to the database by their hash, bound to one purpose. */
@Injectable()
export class UserTokens {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  async issue(
    tx: Tx,
    { userId, purpose, lifetimeMinutes, email, context }: NewUserToken,
  ): Promise<IssuedToken> {
    const token = this.random.token();
    const [row] = await tx.query(
      issueToken,
      sha256(token),
      userId,
      purpose,
      email ?? null,
      context === undefined ? null : JSON.stringify(context),
      lifetimeMinutes,
      this.clock.pinned(),
    );
    if (!row) throw new Error('The insert of a token returned no row.');
    return { token, expiresAt: row.expiresAt };
  }

  /** Uses a token, once; null for one that is unknown, used, expired or for another purpose. */
  async use(tx: Tx, purpose: TokenPurpose, token: string): Promise<UserTokenRow | null> {
    if (!isSecretToken(token)) return null;
    const [used] = await tx.query(useToken, sha256(token), purpose, this.clock.pinned());
    return used ?? null;
  }

  /** What a token would do, without using it. */
  async find(purpose: TokenPurpose, token: string): Promise<UserTokenRow | null> {
    if (!isSecretToken(token)) return null;
    const [found] = await this.db.executeControl(findToken, sha256(token), purpose, this.clock.pinned());
    return found ?? null;
  }

  /** Takes back every unused token that somebody holds for a purpose. */
  async withdraw(tx: Tx, userId: string, purpose: TokenPurpose): Promise<void> {
    await tx.query(withdrawTokens, userId, purpose);
  }

  /**
   * Takes back every unused token of somebody, whatever for: what was asked for or begun by whoever knew the old
   * password, or read the old mailbox, comes to nothing. What proves `keptEmail` stays.
   */
  async withdrawAll(tx: Tx, userId: string, keptEmail: string): Promise<void> {
    await tx.query(withdrawAllTokens, userId, keptEmail);
  }
}
