import type { PoolClient } from 'pg';
import type { Statement } from './statement';

/**
 * An open transaction, opaque to services: repositories take their EntityManager from it (`managerOf`), named
 * statements run on the same connection.
 */
export class Tx {
  readonly #client: Pick<PoolClient, 'query'>;
  readonly #named: boolean;
  readonly #afterCommit: (() => void)[] = [];

  constructor(client: Pick<PoolClient, 'query'>, named: boolean) {
    this.#client = client;
    this.#named = named;
  }

  /** Runs a named statement in this transaction. */
  async query<P extends readonly unknown[], R>(
    statement: Statement<P, R>,
    ...params: P
  ): Promise<readonly R[]> {
    const result = await this.#client.query({
      ...(this.#named ? { name: statement.name } : {}),
      text: statement.text,
      values: params as unknown as unknown[],
    });
    return result.rows as R[];
  }

  /** Registers a hint to give once the transaction is committed; dropped on rollback. Must not throw. */
  afterCommit(hint: () => void): void {
    this.#afterCommit.push(hint);
  }

  /** For `Db` alone: the hints registered so far. */
  takeHints(): readonly (() => void)[] {
    return this.#afterCommit.splice(0);
  }
}
