import { hostname } from 'node:os';
import type { Clock, Db, Ids, Logger } from '#platform';
import { heartbeatWorker, registerWorker, releaseRuns, retireWorker } from './sql/workers.sql';

/**
 * This process's standing as a worker of one cell: a row that it keeps alive. Whoever finds the lease run out deletes
 * the row, and from then on nothing this worker writes is taken.
 *
 * It also knows how far the host's clock is from the database's, so that instants told to people and to delays are
 * the database's.
 */
export class Lease {
  #workerId: string | null = null;
  #offsetMs = 0;
  #lastTurn = 0n;

  constructor(
    private readonly services: {
      readonly db: Db;
      readonly clock: Clock;
      readonly ids: Ids;
      readonly logger: Logger;
    },
    private readonly cellId: string,
    private readonly leaseSeconds: number,
  ) {}

  /** The id this worker writes under; null while it holds no lease. */
  get workerId(): string | null {
    return this.#workerId;
  }

  /** The database's time, as well as it is known here. */
  now(): Date {
    const now = this.services.clock.now();
    return this.#offsetMs === 0 ? now : new Date(now.getTime() + this.#offsetMs);
  }

  /** Begins a new life under a new id. */
  async acquire(): Promise<string> {
    const { db, clock, ids } = this.services;
    const workerId = ids.next();
    const sentMs = clock.now().getTime();
    const [row] = await db.execute(
      this.cellId,
      registerWorker,
      workerId,
      hostname(),
      process.pid,
      this.leaseSeconds,
      clock.pinned(),
    );
    this.#workerId = workerId;
    this.#compare(sentMs, row?.databaseNow);
    return workerId;
  }

  /** Says that this worker lives. False when it has been declared dead meanwhile. */
  async renew(): Promise<boolean> {
    const { db, clock } = this.services;
    if (this.#workerId === null) return false;
    const sentMs = clock.now().getTime();
    const [row] = await db.execute(
      this.cellId,
      heartbeatWorker,
      this.#workerId,
      this.leaseSeconds,
      String(this.#lastTurn),
      clock.pinned(),
    );
    this.#compare(sentMs, row?.databaseNow);
    return row !== undefined;
  }

  /** The lease is gone; `acquire` begins anew. */
  forget(): void {
    this.#workerId = null;
  }

  /** Notes how far through the queue this worker has come; told with the next heartbeat. */
  noteTurn(turn: string): void {
    const claimed = BigInt(turn);
    if (claimed > this.#lastTurn) this.#lastTurn = claimed;
  }

  /** Gives back what is still held, and ends the lease. */
  async release(): Promise<void> {
    const { db, logger } = this.services;
    const workerId = this.#workerId;
    if (workerId === null) return;
    this.#workerId = null;
    const released = await db.execute(this.cellId, releaseRuns, workerId);
    await db.execute(this.cellId, retireWorker, workerId);
    if (released.length > 0) logger.info('runs given back to the queue', { runs: released.length });
  }

  /** A difference within the round trip says nothing; a pinned clock is its own truth. */
  #compare(sentMs: number, databaseNow: Date | undefined): void {
    const { clock } = this.services;
    if (databaseNow === undefined || clock.pinned() !== null) return;
    const receivedMs = clock.now().getTime();
    const offsetMs = databaseNow.getTime() - (sentMs + receivedMs) / 2;
    this.#offsetMs = Math.abs(offsetMs) <= receivedMs - sentMs + 1 ? 0 : Math.round(offsetMs);
  }
}
