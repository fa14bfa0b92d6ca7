import type { DataSource } from 'typeorm';
import type { PoolClient } from 'pg';
import { isUuid } from '../ids/ids';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import { Cells } from './cells';
import { FIRST_CELL, poolOf } from './data-source';
import { bindManager } from './manager-of';
import { isRetryable, isUnavailable, translated, unavailable } from './pg-errors';
import { type Statement, statement } from './statement';
import { sleep } from '../time/sleep';
import { Tx } from './tx';

/**
 * Purpose: puts the transaction into one tenant's hands: its role, and the setting its policies read. Both end with
 * the transaction. One round trip. Plans are made once, for any parameters: planning anew over the partitions of history
 * takes longer than most statements.
 */
const enterTenant = statement<[workspaceId: string], unknown>(
  'enter-tenant',
  `select set_config('role', 'millrace_tenant', true), set_config('millrace.workspace_id', $1, true),
          set_config('plan_cache_mode', 'force_generic_plan', true)`,
);

/** Deadlocks and serialisation failures are rare and short; three more tries outlast them. */
const MAX_ATTEMPTS = 4;
/** Tried again at once, the loser could take its first lock before the winner has woken, and lose once more. */
const RETRY_MS = 25;

/**
 * The only owner of transactions and the only place that knows of cells.
 *
 * `control` reaches the installation's own tables, `tenant` everything of one workspace behind row-level security,
 * `cell` a whole cell (engine and loops). A work function may run more than once (deadlocks are retried), so it must
 * have no effect outside its transaction; hints belong in `tx.afterCommit`.
 */
export class Db {
  constructor(
    readonly cells: Cells,
    private readonly options: { readonly namedStatements: boolean },
  ) {}

  /** A transaction over the control schema, as the owner role. */
  control<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#transaction(this.cells.home, null, work);
  }

  /** A transaction that can see and touch one workspace only, control tables included. */
  async tenant<T>(workspaceId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    if (!isUuid(workspaceId)) throw new AppError(platformErrors.not_found, { detail: 'No such resource.' });
    const source = await this.#source(await this.#located(workspaceId));
    return this.#transaction(source, workspaceId, work);
  }

  /** A transaction over a whole cell, as the owner role. For the engine and for loops. */
  async cell<T>(cellId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#transaction(await this.#source(cellId), null, work);
  }

  /** One statement over a whole cell that is a transaction of its own: no begin, no commit, one round trip. */
  async execute<P extends readonly unknown[], R>(
    cellId: string,
    statement: Statement<P, R>,
    ...params: P
  ): Promise<readonly R[]> {
    const pool = poolOf(await this.#source(cellId));
    for (let attempt = 1; ; attempt += 1) {
      const client = await this.#connect(() => pool.connect());
      try {
        const rows = await new Tx(client, this.options.namedStatements).query(statement, ...params);
        client.release();
        return rows;
      } catch (error) {
        // A connection that timed out or broke must not go back into the pool: it would fail its next user as well.
        client.release(isUnavailable(error));
        if (attempt >= MAX_ATTEMPTS || !isRetryable(error)) throw translated(error);
      }
      await sleep(RETRY_MS * attempt);
    }
  }

  /** One statement over the control schema (and the first cell) that is a transaction of its own. */
  executeControl<P extends readonly unknown[], R>(
    statement: Statement<P, R>,
    ...params: P
  ): Promise<readonly R[]> {
    return this.execute(FIRST_CELL, statement, ...params);
  }

  /** The cell of a workspace. Throws request.not_found when there is no such workspace. */
  cellOf(workspaceId: string): Promise<string> {
    return this.#located(workspaceId);
  }

  async #located(workspaceId: string): Promise<string> {
    try {
      return await this.cells.of(workspaceId);
    } catch (error) {
      throw translated(error);
    }
  }

  async #source(cellId: string): Promise<DataSource> {
    try {
      return await this.cells.source(cellId);
    } catch (error) {
      throw translated(error);
    }
  }

  async #connect(open: () => Promise<PoolClient>): Promise<PoolClient> {
    try {
      return await open();
    } catch (error) {
      throw translated(error);
    }
  }

  async #transaction<T>(source: DataSource, tenant: string | null, work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(source, tenant, work);
      } catch (error) {
        if (attempt >= MAX_ATTEMPTS || !isRetryable(error)) throw translated(error);
      }
      await sleep(RETRY_MS * attempt);
    }
  }

  async #attempt<T>(source: DataSource, tenant: string | null, work: (tx: Tx) => Promise<T>): Promise<T> {
    const runner = source.createQueryRunner();
    try {
      const client = (await runner.connect()) as PoolClient;
      await runner.startTransaction();
      const tx = new Tx(client, this.options.namedStatements);
      bindManager(tx, runner.manager);
      if (tenant !== null) await tx.query(enterTenant, tenant);
      const result = await work(tx);
      await runner.commitTransaction();
      for (const hint of tx.takeHints()) hint();
      return result;
    } catch (error) {
      // TypeORM lets go of a connection that broke, and then complains of having none: the transaction is lost.
      if (runner.isReleased) throw unavailable(error);
      // The first error is the one to report; a rollback on a dead connection fails too and says nothing new.
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }
}
