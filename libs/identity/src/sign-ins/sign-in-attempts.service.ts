import { Injectable } from '@nestjs/common';
import { type Client, Clock, Db, Ids, type Page, pageOf, type Tx } from '#platform';
import { listAttempts, recordAttempt, type SignInMethod, type SignInOutcome } from './sign-in-attempt.sql';
import { type SignInAttemptView, toAttemptView } from './sign-ins.dto';

/** An attempt to sign in that has ended. */
export interface SignInAttempt {
  /** Null for an address without an account. */
  readonly userId: string | null;
  readonly method: SignInMethod;
  readonly outcome: SignInOutcome;
  readonly client: Client;
}

/** Keeps who tried to sign in, when and from where: for the person to look at, and for operators under attack. */
@Injectable()
export class SignInAttempts {
  constructor(
    private readonly db: Db,
    private readonly ids: Ids,
    private readonly clock: Clock,
  ) {}

  async record(tx: Tx, { userId, method, outcome, client }: SignInAttempt): Promise<void> {
    await tx.query(
      recordAttempt,
      this.ids.next(),
      userId,
      method,
      outcome,
      client.ip,
      client.userAgent,
      this.clock.pinned(),
    );
  }

  /** A page of somebody's own attempts, newest first. */
  async list(
    userId: string,
    { limit, before }: { readonly limit: number; readonly before: string | null },
  ): Promise<Page<SignInAttemptView>> {
    const rows = await this.db.executeControl(listAttempts, userId, before, limit + 1);
    const { data, ...page } = pageOf(rows, limit, ({ id }) => ({ id }));
    return { data: data.map(toAttemptView), ...page };
  }
}
